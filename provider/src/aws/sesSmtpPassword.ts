import { createHmac } from "node:crypto";

/**
 * The SMTP password of Amazon SES that belongs to a secret access key, by AWS's published algorithm (SES developer
 * guide, "Obtaining Amazon SES SMTP credentials"): a chain of HMAC-SHA256 over fixed words and the region.
 *
 * @param region The region whose SMTP endpoint is used; the password works in that one only.
 */
export function sesSmtpPassword(secretAccessKey: string, region: string): string {
  const signature = ["11111111", region, "ses", "aws4_request", "SendRawEmail"].reduce<Buffer>(
    (key, word) => createHmac("sha256", key).update(word).digest(),
    Buffer.from(`AWS4${secretAccessKey}`),
  );
  return Buffer.concat([Buffer.from([0x04]), signature]).toString("base64");
}
