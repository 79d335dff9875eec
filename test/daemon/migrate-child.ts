/** A process that migrates one template on disk over and over; reports what came of it when it is told to stop. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CallsheetError } from '#protocol/errors.ts';
import { planMigration } from '#templates/plan-migration.ts';
import { writeMigration } from '#templates/write-migration.ts';

const folder = process.argv[2] ?? '';
const report = { written: 0, conflicts: 0, others: [] as string[] };
const stop = new AbortController();
process.once('message', () => stop.abort());

while (!stop.signal.aborted) {
  try {
    const plan = planMigration(folder);
    const refused = writeMigration(plan);
    if (plan.files.length > 0 && refused.length === 0) report.written += 1;
    report.others.push(...refused.map(({ message }) => message));
  } catch (error) {
    if (error instanceof CallsheetError && error.code === 'TEMPLATE_CHANGED') report.conflicts += 1;
    else report.others.push(String(error));
  }
  await sleep(1);
}
process.send?.(report, () => process.disconnect());
