import { EXIT, type ExitCode } from "../exitCodes";
import type { Io } from "../io";
import { overviewOf } from "../overview";
import { reportPage } from "../report/page";
import { findRotations, type SourceOptions } from "../sources";
import { counted } from "../words";

/** The options of `report`. */
export interface ReportOptions extends SourceOptions {
  /** The file to write. */
  readonly html: string;
  readonly json?: boolean;
}

/** Writes every rotation of the stacks to one HTML page. Reads what `status` reads. */
export async function report(io: Io, options: ReportOptions): Promise<ExitCode> {
  const now = io.clock.now();
  const records = (await findRotations(io, options)).map(({ record }) => record);
  await io.write(options.html, reportPage(records, now));
  const needAttention = records.filter((record) => overviewOf(record, now).attention.length > 0).length;
  const told = { at: now.toISOString(), file: options.html, rotations: records.length, needAttention };
  io.out(
    options.json
      ? `${JSON.stringify(told, null, 2)}\n`
      : `${options.html}: ${counted(records.length, "rotation")}, ${needAttention} in need of attention\n`,
  );
  return EXIT.ok;
}
