// Apart from the modules that validate: a program needs these, and must not load a library for them.

/** `connectionId` of the ambient credentials: those that the AWS SDK finds by itself. Written out, never a fall-back. */
export const AMBIENT_CONNECTION_ID = "00000000-0000-0000-0000-000000000000";

/** The outputs that hold a secret: secret in state, in outputs and in previews. */
export const SECRET_OUTPUTS = [
  "secretAccessKey",
  "secrets",
  "generatedCredentials",
  "sesSmtpPassword",
  "pendingCredentials",
] as const;
