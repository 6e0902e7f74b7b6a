/** How the command line ends. Documented in the README: scripts rely on it. */
export const EXIT = {
  /** All is well. */
  ok: 0,
  /** The command could not be carried out: wrong arguments, no engine, no such stack, an unreadable file. */
  error: 1,
  /** `status` only: something is due, failed, or not as state says. */
  attention: 2,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
