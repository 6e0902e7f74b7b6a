import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from "@aws-sdk/client-iam";

/** Makes users in the emulator, past the proxy: a few at a time, it serves one after another anyway. */
export async function makeUsers(
  endpoint: string,
  names: readonly string[],
  withKeys = 0,
): Promise<{ userName: string; previous: string }[]> {
  const client = new IAMClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const made: { userName: string; previous: string }[] = [];
  try {
    for (const userName of names) {
      await client.send(new CreateUserCommand({ UserName: userName }));
      let previous = "";
      for (let key = 0; key < withKeys; key += 1) {
        const { AccessKey } = await client.send(new CreateAccessKeyCommand({ UserName: userName }));
        previous ||= AccessKey?.AccessKeyId ?? "";
      }
      made.push({ userName, previous });
    }
  } finally {
    client.destroy();
  }
  return made;
}
