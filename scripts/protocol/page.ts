/** The tables of docs/protocol.md, made from the tables that the daemon works by. */
import { METHODS } from '#protocol/methods/index.ts';
import { CLIENT_NOTIFICATIONS, NOTIFICATIONS } from '#protocol/notifications.ts';
import { ROUTES } from '#protocol/routes.ts';
import type { ObjectSchema } from '#protocol/schema.ts';

/** By the name that stands in the markers of the page: `<!-- NAME: written by ... -->` to `<!-- /NAME -->`. */
const SECTIONS: Readonly<Record<string, () => string>> = {
  methods: () =>
    table(
      ['method', 'scope', 'mutation', 'params', ''],
      Object.values(METHODS).map(({ name, scope, mutation, params, description }) => [
        code(name),
        scope,
        mutation ? 'yes' : '',
        code(membersOf(params.json)),
        description,
      ]),
    ),
  notifications: () =>
    table(
      ['notification', 'params', 'may be dropped', ''],
      Object.entries(NOTIFICATIONS).map(([name, { params, droppable, description }]) => [
        code(name),
        code(membersOf(params.json)),
        droppable ? 'yes' : '',
        description,
      ]),
    ),
  'client-notifications': () =>
    table(
      ['notification', 'params', ''],
      Object.entries(CLIENT_NOTIFICATIONS).map(([name, { params, description }]) => [
        code(name),
        code(membersOf(params.json)),
        description,
      ]),
    ),
  events: () =>
    table(
      ['`event.type`', 'members'],
      variantsOf(NOTIFICATIONS.event.params.json).map(([type, variant]) => [code(type), code(membersOf(variant, ['type']))]),
    ),
  routes: () =>
    table(
      ['route', 'scope', ''],
      ROUTES.map(({ route, scope, description }) => [code(route), scope, description]),
    ),
};

/** The page with its tables as they should be. Throws where a marker is missing. */
export function pageWithTables(page: string): string {
  let text = page;
  for (const [name, write] of Object.entries(SECTIONS)) {
    const begin = `<!-- ${name}: written by \`npm run generate\` -->\n`;
    const end = `<!-- /${name} -->`;
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from === -1 || to < from) throw new Error(`docs/protocol.md has no section "${name}" between ${begin.trim()} and ${end}.`);
    text = `${text.slice(0, from)}${begin}${write()}\n${text.slice(to)}`;
  }
  return text;
}

// --- helpers ---

const code = (text: string): string => `\`${text}\``;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, header.map(() => '---'), ...rows];
  return lines.map((row) => `| ${row.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`).join('\n');
}

function membersOf({ properties = {}, required = [] }: ObjectSchema, without: readonly string[] = []): string {
  const names = Object.keys(properties).filter((name) => !without.includes(name));
  return `{${names.map((name) => (required.includes(name) ? name : `${name}?`)).join(', ')}}`;
}

function variantsOf({ properties = {} }: ObjectSchema): readonly (readonly [string, ObjectSchema])[] {
  const variants = (properties['event']?.['oneOf'] ?? []) as readonly ObjectSchema[];
  return variants.map((variant) => [String(variant.properties?.['type']?.['const']), variant]);
}
