/** Properties of a resource, as the engine hands them over. */
export type Properties = Record<string, unknown>;

/** How one AWS type is made, read, changed and deleted. */
export interface ResourceType {
  /** The inputs that it heeds; all of them are outputs, too. */
  readonly inputs: readonly string[];
  /** Those whose change makes a replacement. */
  readonly replaceOn: readonly string[];
  /** Whether it is named after its logical name where the program gives no name. */
  readonly named: boolean;
  create(inputs: Properties): Promise<{ readonly id: string; readonly outs: Properties }>;
  /** undefined when it is gone. */
  read(id: string, state: Properties): Promise<Properties | undefined>;
  update?(id: string, inputs: Properties, state: Properties): Promise<Properties>;
  delete(id: string, state: Properties): Promise<void>;
}
