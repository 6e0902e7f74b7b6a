/** Who installs. */
export const MANAGERS = ["npm", "pnpm", "yarn"] as const;
export type Manager = (typeof MANAGERS)[number];

/** What a program's package.json says in `type`. */
export const MODULES = ["commonjs", "module"] as const;
export type ModuleKind = (typeof MODULES)[number];

export const LANGUAGES = ["javascript", "typescript"] as const;
export type Language = (typeof LANGUAGES)[number];

/** A program as a user may have it. */
export interface Combination {
  readonly manager: Manager;
  readonly module: ModuleKind;
  readonly language: Language;
  /** Which `@pulumi/pulumi` the program has: the one of this repository, or the oldest that the package allows. */
  readonly sdk: "newest" | "oldest";
}

/** All programs, with the newest SDK; and one for each language with the oldest. */
export const ALL: readonly Combination[] = [
  ...MANAGERS.flatMap((manager) =>
    MODULES.flatMap((module) =>
      LANGUAGES.map((language): Combination => ({ manager, module, language, sdk: "newest" })),
    ),
  ),
  { manager: "npm", module: "commonjs", language: "typescript", sdk: "oldest" },
  { manager: "npm", module: "module", language: "javascript", sdk: "oldest" },
];

/** Those that every run of the tests goes through: each manager, module kind, language and SDK at least once. */
export const TESTED: readonly Combination[] = [
  { manager: "npm", module: "commonjs", language: "typescript", sdk: "newest" },
  { manager: "pnpm", module: "module", language: "typescript", sdk: "newest" },
  { manager: "yarn", module: "module", language: "javascript", sdk: "oldest" },
];

/** A combination in words. */
export function titleOf({ manager, module, language, sdk }: Combination): string {
  const kind = module === "commonjs" ? "CommonJS" : "ESM";
  const name = language === "javascript" ? "JavaScript" : "TypeScript";
  return `${manager}, ${kind}, ${name}, ${sdk} SDK`;
}
