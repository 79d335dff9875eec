/** What `/open` left for the pages of this port: the cookie of the session changes nothing without it (docs/protocol.md, Browsers). */

/** Empty where nothing was left, or the browser keeps nothing: then the daemon says what to do. */
export function pageHeader(): Readonly<Record<string, string>> {
  try {
    const page = localStorage.getItem('callsheet-page');
    return page === null ? {} : { 'Callsheet-Page': page };
  } catch {
    return {};
  }
}
