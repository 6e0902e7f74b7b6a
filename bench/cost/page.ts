const BEGIN = "<!-- bench: these tables are written by `npm run bench` -->";
const END = "<!-- bench: end -->";

/** The tables in a page, between the marks. */
export function tablesIn(page: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the page lacks the marks ${BEGIN} and ${END}`);
  return page.slice(begin + BEGIN.length, end).trim();
}

/** Puts other tables between the marks of a page. */
export function withTables(page: string, tables: string): string {
  tablesIn(page);
  const before = page.slice(0, page.indexOf(BEGIN) + BEGIN.length);
  return `${before}\n\n${tables.trim()}\n\n${page.slice(page.indexOf(END))}`;
}
