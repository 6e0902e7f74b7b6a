import type { Command } from "../../support/command";
import { CliStack } from "../../support/engineCli";
import type { Ran } from "../../support/engineModel";
import { configOf } from "./hosts";
import { type Surroundings, World } from "./world";

/** A case's world whose engine is the real one: the model's state is what the engine has saved. */
export class EngineWorld extends World {
  /** While a starting state is made nobody asks for the saved state, and to decrypt it takes as long as half a command. */
  isPreparing = false;
  private readonly stack: CliStack;

  constructor(around: Surroundings, userName: string, options: ConstructorParameters<typeof World>[2]) {
    super(around, userName, options);
    this.stack = new CliStack(userName, around.proxy.endpoint);
  }

  init(): Promise<void> {
    return this.stack.init();
  }

  override up(): Promise<Ran> {
    return this.command("update", () => this.stack.up());
  }

  override refresh(): Promise<Ran> {
    return this.command("refresh", () => this.stack.refresh());
  }

  override destroy(): Promise<Ran> {
    return this.command("delete", () => this.stack.destroy());
  }

  override async upAndDie(): Promise<void> {
    this.lane.watch({
      action: "CreateAccessKey",
      nth: 1,
      times: 1,
      when: "after",
      effect: () => this.killProvider().then(() => "drop" as const),
    });
    await this.up();
    this.lane.watch();
  }

  /** Takes over what the engine has saved. */
  async load(): Promise<void> {
    this.engine.state = await this.stack.saved();
  }

  killProvider(): Promise<void> {
    return this.stack.killProvider();
  }

  killEngine(): Promise<void> {
    return this.stack.killEngine();
  }

  override leaks(): string[] {
    const leaks = super.leaks();
    const places = { "what was printed": this.stack.printed, "what was saved": this.stack.savedText() };
    for (const [place, text] of Object.entries(places)) {
      if (this.secrets.some((secret) => text.includes(secret))) leaks.push(`a secret stands in ${place}`);
    }
    return leaks;
  }

  remove(): void {
    this.stack.remove();
  }

  private async command(did: Ran["did"], run: () => Promise<Command>): Promise<Ran> {
    const { owner: _owner, __provider, ...args } = this.inputs;
    this.stack.write(args, configOf(this.day, this.around.hosts.at(0)));
    const { code, text } = await run();
    this.engine.told.push(text);
    // A killed engine leaves its lock behind.
    if (code === null || text.includes("the stack is currently locked")) await this.stack.cancel();
    if (!this.isPreparing) await this.load();
    if (code !== 0) return { did: "nothing", error: text };
    return { did: /\b1 unchanged\b/.test(text) && !/\b1 (created|updated|deleted)\b/.test(text) ? "same" : did };
  }
}
