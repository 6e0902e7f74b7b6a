import { readFileSync } from "node:fs";
import { join } from "node:path";

import * as ts from "typescript";

import { ROOT } from "../support/markdown";

/** A property of an interface or class, as its source tells it. */
export interface Member {
  /** With the names of what it is in: `previousKey.quietHours`. */
  readonly path: string;
  /** As a person reads it, without `pulumi.Input` and `undefined`. */
  readonly type: string;
  readonly isOptional: boolean;
  readonly text: string;
  /** What stands after `@default`. */
  readonly byDefault: string | undefined;
}

/** Reads the properties of an interface or a class, those inside of objects too. Objects themselves are left out then. */
export function membersOf(file: string, name: string): Member[] {
  const declared = sourceOf(file).statements.find(
    (statement): statement is ts.InterfaceDeclaration | ts.ClassDeclaration =>
      (ts.isInterfaceDeclaration(statement) || ts.isClassDeclaration(statement)) && statement.name?.text === name,
  );
  if (!declared) throw new Error(`${file} has no ${name}`);
  return declared.members.flatMap((member) => membersIn(member, ""));
}

/** The doc comment of a class, and of what else a file declares by name. */
export function commentOf(file: string, name: string): string {
  const declared = sourceOf(file).statements.find(
    (statement) => ts.isClassDeclaration(statement) && statement.name?.text === name,
  );
  return declared ? documented(declared).text : "";
}

function sourceOf(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(join(ROOT, file), "utf8"), ts.ScriptTarget.Latest, true);
}

function membersIn(member: ts.ClassElement | ts.TypeElement, within: string): Member[] {
  if (!(ts.isPropertySignature(member) || ts.isPropertyDeclaration(member)) || !member.type) return [];
  const path = `${within}${member.name.getText()}`;
  const object = within === "" && ts.isPropertySignature(member) ? objectIn(member.type) : undefined;
  const own: Member = {
    path,
    type: readable(member.type),
    isOptional: member.questionToken !== undefined,
    ...documented(member),
  };
  const inner = object?.members.flatMap((one) => membersIn(one, `${path}.`)) ?? [];
  return object ? [own, ...inner] : [own];
}

/** The object inside of `pulumi.Input<{...}> | undefined`. */
function objectIn(type: ts.TypeNode): ts.TypeLiteralNode | undefined {
  if (ts.isTypeLiteralNode(type)) return type;
  if (ts.isUnionTypeNode(type)) return type.types.map(objectIn).find((one) => one !== undefined);
  return ts.isTypeReferenceNode(type) ? type.typeArguments?.map(objectIn).find((one) => one !== undefined) : undefined;
}

function readable(type: ts.TypeNode): string {
  const object = objectIn(type);
  if (object) return `{ ${object.members.map((member) => member.name?.getText()).join(", ")} }`;
  if (ts.isUnionTypeNode(type)) {
    return type.types
      .filter((one) => one.kind !== ts.SyntaxKind.UndefinedKeyword)
      .map(readable)
      .join(" | ");
  }
  const isWrapped = ts.isTypeReferenceNode(type) && /^pulumi\.(Input|Output)$/.test(type.typeName.getText());
  const [inner] = isWrapped ? (type.typeArguments ?? []) : [];
  return inner ? readable(inner) : type.getText();
}

function documented(node: ts.Node): Pick<Member, "text" | "byDefault"> {
  const comment = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1);
  const text = (ts.getTextOfJSDocComment(comment?.comment) ?? "").replace(/\s*\n\s*/g, " ");
  const tag = ts.getJSDocTags(node).find(({ tagName }) => tagName.text === "default");
  return { text, byDefault: ts.getTextOfJSDocComment(tag?.comment)?.replace(/\s*\n\s*/g, " ") };
}
