/** Icons as strokes on a grid of 24: drawn here, so that nothing is loaded from anywhere. */

const PATHS = {
  runs: 'M4 6h16M4 12h16M4 18h10',
  templates: 'M5 4h14a1 1 0 0 1 1 1v5H4V5a1 1 0 0 1 1-1ZM4 14h7v6H5a1 1 0 0 1-1-1v-5ZM15 14h5v5a1 1 0 0 1-1 1h-4v-6Z',
  backends: 'M5 4h14v6H5zM5 14h14v6H5zM8.5 7h.01M8.5 17h.01',
  machines: 'M7 4h4v4H7zM13 16h4v4h-4zM9 8v4h6v4',
  play: 'M8 5.5v13l10.5-6.5z',
  pause: 'M8.5 6v12M15.5 6v12',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  alert: 'M12 4 2.8 19.5h18.4ZM12 10v4M12 17h.01',
  info: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM12 11v5M12 8h.01',
  close: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  cross: 'M7 7l10 10M17 7 7 17',
  clock: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM12 7.5V12l3 2',
  hand: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM9.8 9.6a2.3 2.3 0 1 1 3.2 2.1c-.7.3-1 .8-1 1.5M12 16.4h.01',
  stop: 'M7 7h10v10H7z',
  question: 'M9.3 9a2.8 2.8 0 1 1 3.9 2.6c-.8.3-1.2.9-1.2 1.7v.4M12 17h.01',
  retry: 'M4.5 12a7.5 7.5 0 1 0 2.4-5.5M4.5 4.5v4h4',
  download: 'M12 4v10.5M7.5 10.5 12 15l4.5-4.5M5 19.5h14',
  back: 'M14.5 6 8.5 12l6 6',
  next: 'M9.5 6l6 6-6 6',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  pin: 'M9 4h6l-1 6 3 3H7l3-3ZM12 13v7',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4',
  moon: 'M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10Z',
  auto: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM12 3.5v17M12 7h4.8M12 12h8M12 17h4.8',
  search: 'M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12ZM15 15l4.5 4.5',
  film: 'M4 5h16v14H4zM8 5v14M16 5v14M4 9.7h4M4 14.3h4M16 9.7h4M16 14.3h4',
  sound: 'M4 10v4M8 7v10M12 4v16M16 8v8M20 10.5v3',
  cube: 'M12 3.5 4.5 7.7v8.6l7.5 4.2 7.5-4.2V7.7ZM4.5 7.7l7.5 4.2 7.5-4.2M12 11.9v8.6',
  text: 'M5 6h14M5 10h14M5 14h14M5 18h8',
  file: 'M6 3.5h8l4 4v13H6zM14 3.5v4h4',
  image: 'M4 5h16v14H4zM4 16l4.5-4.5 4 4 3-3L20 17M15.5 9.5h.01',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  fit: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  graph: 'M4 5h6v5H4zM14 14h6v5h-6zM10 7.5h3a1 1 0 0 1 1 1V14',
  dice: 'M5 5h14v14H5zM9 9h.01M15 9h.01M12 12h.01M9 15h.01M15 15h.01',
  link: 'M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1',
  dot: 'M12 10.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3Z',
} as const;

/** For drawings that are SVG already: on a grid of 24. */
export function iconPath(name: IconName): string {
  return PATHS[name];
}

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
