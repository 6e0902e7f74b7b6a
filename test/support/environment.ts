/** To be called in a `describe`: sets variables for each of its tests, and puts the old ones back; undefined unsets. */
export function useEnvironment(variables: () => Readonly<Record<string, string | undefined>>): void {
  let before: Record<string, string | undefined> = {};
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  beforeEach(() => {
    const wanted = variables();
    before = Object.fromEntries(Object.keys(wanted).map((name) => [name, process.env[name]]));
    for (const [name, value] of Object.entries(wanted)) set(name, value);
  });
  afterEach(() => {
    for (const [name, value] of Object.entries(before)) set(name, value);
  });
}
