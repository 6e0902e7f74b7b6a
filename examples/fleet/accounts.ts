/** An account of the fleet. */
export interface Account {
  /** The role in the account that rotates its keys. */
  roleArn: string;
  /** The IAM users whose keys are rotated; they exist already. */
  users: string[];
}

/** Each account is a stack of its own, by this name: its own state, its own lock, its own failures. */
export const accounts: Record<string, Account> = {
  payments: {
    roleArn: "arn:aws:iam::111122223333:role/key-rotator",
    users: ["payments-ci", "payments-mail", "payments-erp"],
  },
  logistics: {
    roleArn: "arn:aws:iam::444455556666:role/key-rotator",
    users: ["logistics-ci", "logistics-labels"],
  },
  research: {
    roleArn: "arn:aws:iam::777788889999:role/key-rotator",
    users: ["research-notebooks", "research-archive"],
  },
};

/** The connection by which a stack reaches its account; `fleet.ts` puts it into the stack's config. */
export const connectionId = "6f0c1c8e-6a5f-4d38-9b36-0f6c6f0f2a11";
