/**
 * Makes a bucket for the engine's state in moto.
 *
 * @returns The URL of the backend in it, for `PULUMI_BACKEND_URL`.
 */
export async function makeStateBucket(endpoint: string, name: string): Promise<string> {
  const authorization =
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
  const answer = await fetch(`${endpoint}/${name}`, { method: "PUT", headers: { authorization } });
  if (!answer.ok) throw new Error(`moto made no bucket: ${answer.status}`);
  const { port } = new URL(endpoint);
  return `s3://${name}?endpoint=http://localhost:${port}&s3ForcePathStyle=true&region=us-east-1`;
}
