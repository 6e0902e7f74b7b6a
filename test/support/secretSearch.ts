/** A part of a secret that is as good as all of it, for finding texts that were cut. */
const PART = 16;

/** Knows secrets, and the texts that must not hold them. It never shows a secret itself. */
export class SecretSearch {
  private readonly secrets = new Map<string, string>();
  private readonly texts: { readonly place: string; readonly text: string }[] = [];

  /** Something that must stand nowhere, under a name for people. Empty and missing ones are left out. */
  plant(name: string, secret: unknown): void {
    if (typeof secret === "string" && secret !== "") this.secrets.set(secret, name);
  }

  /** How many secrets are known. */
  get count(): number {
    return this.secrets.size;
  }

  /** A text to be searched, when all secrets are known. */
  note(place: string, text: string): void {
    this.texts.push({ place, text });
  }

  /** Where which secret stands: plain, cut, or in an encoding. */
  found(): string[] {
    const found = [...this.secrets].flatMap(([secret, name]) => {
      const forms = formsOf(secret);
      return this.texts
        .filter(({ text }) => forms.some((form) => text.includes(form)))
        .map(({ place }) => `${name}: ${place}`);
    });
    return [...new Set(found)];
  }
}

function formsOf(secret: string): string[] {
  const parts = secret.length > PART ? [secret.slice(0, PART), secret.slice(-PART)] : [secret];
  return [
    ...parts,
    ...parts.map(encodeURIComponent),
    ...parts.map((part) => JSON.stringify(part).slice(1, -1)),
    // The last group depends on what follows.
    Buffer.from(secret).toString("base64").slice(0, -4),
    Buffer.from(secret).toString("hex"),
  ].filter((form) => form.length >= Math.min(secret.length, 8));
}
