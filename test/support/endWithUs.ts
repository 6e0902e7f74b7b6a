import type { ChildProcess } from "node:child_process";

const running = new Set<ChildProcess>();

/** Ends a process with this one, should nobody have done it before. One listener for many: Node.js warns of more than ten. */
export function endWithUs(child: ChildProcess): void {
  if (running.size === 0) process.once("exit", endAll);
  running.add(child);
  child.once("exit", () => {
    running.delete(child);
    if (running.size === 0) process.off("exit", endAll);
  });
}

function endAll(): void {
  for (const child of running) child.kill("SIGKILL");
}
