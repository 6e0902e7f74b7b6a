/** One command of a shell text: its words, without quotes. */
export type Words = readonly string[];

const SUBSTITUTION = /\$\(([^()]*)\)/g;

/**
 * Takes the commands out of shell text as it stands on pages: one a line or joined by operators, with quotes, comments,
 * lines continued by a backslash, variables before the command, and commands inside of `$(...)`.
 */
export function commandsOf(text: string): Words[] {
  const inner = [...text.matchAll(SUBSTITUTION)].flatMap((match) => commandsOf(match[1] ?? ""));
  const lines = text.replace(SUBSTITUTION, "SUBSTITUTED").replace(/\\\n/g, " ").split("\n");
  return [...lines.flatMap(commandsOfLine), ...inner];
}

function commandsOfLine(line: string): Words[] {
  const commands: string[][] = [[]];
  const tokens = line.matchAll(/(#.*)|(&&|\|\||[|;<>])|((?:"[^"]*"|'[^']*'|[^\s"'|;<>&#]|\\.|#(?<=\S#))+)/g);
  for (const [, comment, operator, word] of tokens) {
    if (comment !== undefined) break;
    if (operator !== undefined) commands.push([]);
    else if (word !== undefined) commands.at(-1)?.push(word.replace(/["']/g, ""));
  }
  return commands
    .map((words) => {
      const first = words.findIndex((word) => !/^\w+=/.test(word));
      return first < 0 ? [] : words.slice(first);
    })
    .filter((words) => words.length > 0);
}
