import type { PolicyDocument, PolicyStatement } from "../../provider/src";
import type { AwsCall } from "./awsProxy";

/**
 * The policy as moto (5.2) can take it. It takes the resource of every call about a user for "*", so a statement that
 * names a user's arn would allow nothing; and it passes over conditions other than StringEquals. It checks signatures
 * and actions, and {@link permits} the rest.
 */
export function forMoto({ Statement, ...document }: PolicyDocument): object {
  return { ...document, Statement: Statement.map(({ Condition: _, ...rest }) => ({ ...rest, Resource: "*" })) };
}

/** A policy without one action. */
export function without({ Statement, ...document }: PolicyDocument, action: string): PolicyDocument {
  const kept = Statement.map((one) => ({ ...one, Action: one.Action.filter((name) => name !== action) }));
  return { ...document, Statement: kept.filter((one) => one.Action.length > 0) };
}

/**
 * Whether a policy allows a call, by its actions, resources and conditions (IAM user guide, "Policy evaluation logic" and
 * "Multivalued context keys"); as far as ours use them.
 *
 * @param userArn The user whom the call is about.
 */
export function permits(document: PolicyDocument, call: AwsCall, userArn: string): boolean {
  // AWS lets everybody do it, even where it is denied.
  if (call.action === "sts:GetCallerIdentity") return true;
  return document.Statement.some(
    (statement) =>
      statement.Action.includes(call.action) &&
      statement.Resource?.some((pattern) => matches(pattern, userArn)) === true &&
      isFulfilled(statement, call),
  );
}

/** `*` is any text, `?` any one character. */
function matches(pattern: string, arn: string): boolean {
  const expression = pattern
    .replace(/[\\^$.+()[\]{}|]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`).test(arn);
}

function isFulfilled({ Condition = {} }: PolicyStatement, { parameters }: AwsCall): boolean {
  const tagKeys = Object.keys(parameters)
    .filter((name) => /^(Tags\.member\.\d+\.Key|TagKeys\.member\.\d+)$/.test(name))
    .map((name) => parameters[name] ?? "");
  return Object.entries(Condition).every(([operator, wanted]) => {
    const { "aws:TagKeys": values, ...others } = wanted;
    if (values === undefined || Object.keys(others).length > 0) throw new Error(`the model knows no such ${operator}`);
    if (operator === "Null") return (tagKeys.length === 0) === (values === "true");
    if (operator === "ForAllValues:StringEquals") return tagKeys.every((key) => values.includes(key));
    throw new Error(`the model does not know ${operator}`);
  });
}
