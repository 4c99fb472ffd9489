/** What the docstrings of registered factories say, read from their source. */
import { fileURLToPath } from "node:url";
import {
  type JSDoc,
  Node,
  Project,
  type PropertyAssignment,
  type ShorthandPropertyAssignment,
  SyntaxKind,
  type Symbol as TsSymbol,
} from "ts-morph";

export interface OptionDoc {
  readonly name: string;
  readonly required: boolean;
  readonly meaning: string;
}

export interface FactoryDoc {
  /** As the registry calls it. */
  readonly name: string;
  /** As it is imported. */
  readonly exported: string;
  /** The first paragraph and what follows it, as markdown. */
  readonly summary: string;
  /** By tag name, without the @. Repeated ones are lines. */
  readonly tags: ReadonlyMap<string, string>;
  readonly options: readonly OptionDoc[];
}

/** Options that a factory takes without an interface of its own. */
const USUAL = new Map([["budget", "Entries kept per KV head on average, always-kept ones included."]]);

/** Parameters that are no options: what a wrapper goes around. */
const WRAPPED: readonly string[] = ["method", "merge"];

const path = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));

/** The members of registries, each `file#constant`, in their order. */
export function docsOf(registries: readonly string[]): readonly FactoryDoc[] {
  const project = new Project({ tsConfigFilePath: path("tsconfig.json"), skipAddingFilesFromTsConfig: true });
  return registries.flatMap((registry) => {
    const [file = "", constant = ""] = registry.split("#");
    const source = project.addSourceFileAtPath(path(file));
    const members = source
      .getVariableDeclarationOrThrow(constant)
      .getFirstDescendantByKindOrThrow(SyntaxKind.ObjectLiteralExpression);
    return members.getProperties().map((member) => {
      if (Node.isPropertyAssignment(member) || Node.isShorthandPropertyAssignment(member)) return docOf(member);
      throw new Error(`${registry}: ${member.getText()} is no factory's name`);
    });
  });
}

/** A member that names an imported factory, or is a function that calls one. */
function docOf(member: PropertyAssignment | ShorthandPropertyAssignment): FactoryDoc {
  const imports = member.getSourceFile().getImportDeclarations();
  const named = Node.isShorthandPropertyAssignment(member) ? [member.getName()] : identifiersIn(member);
  const exported = named.find((name) =>
    imports.some((one) => one.getNamedImports().some((of) => of.getName() === name)),
  );
  const from = imports.find((one) => one.getNamedImports().some((of) => of.getName() === exported));
  const declaration = from
    ?.getModuleSpecifierSourceFileOrThrow()
    .getExportedDeclarations()
    .get(exported ?? "")?.[0];
  if (exported === undefined || declaration === undefined) throw new Error(`${member.getText()} names no import`);
  const comments = Node.isVariableDeclaration(declaration)
    ? (declaration.getVariableStatement()?.getJsDocs() ?? [])
    : Node.isFunctionDeclaration(declaration)
      ? declaration.getJsDocs()
      : [];
  const parameters = declaration.getType().getCallSignatures()[0]?.getParameters() ?? [];
  const given = parameters.find((one) => !WRAPPED.includes(one.getName()))?.getTypeAtLocation(declaration);
  return {
    name: member.getName().replaceAll('"', ""),
    exported,
    summary: comments.map((comment) => comment.getDescription().trim()).join("\n\n"),
    tags: tagsOf(comments),
    options: (given?.getNonNullableType().getProperties() ?? [])
      .map(optionOf)
      .sort((a, b) => Number(b.required) - Number(a.required)),
  };
}

const identifiersIn = (member: PropertyAssignment): readonly string[] =>
  member
    .getInitializerOrThrow()
    .getDescendantsOfKind(SyntaxKind.Identifier)
    .concat(member.getInitializerIfKind(SyntaxKind.Identifier) ?? [])
    .map((identifier) => identifier.getText());

function tagsOf(comments: readonly JSDoc[]): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  for (const tag of comments.flatMap((comment) => comment.getTags())) {
    // The parser reads a link's scheme as something else than text.
    const text = tag
      .getText()
      .replace(/^@\w+\s*/, "")
      .replace(/\n\s*\* ?/g, "\n")
      .replace(/\*\/\s*$/, "")
      .trim();
    const before = tags.get(tag.getTagName());
    tags.set(tag.getTagName(), before === undefined ? text : `${before}\n${text}`);
  }
  return tags;
}

function optionOf(property: TsSymbol): OptionDoc {
  const [declaration] = property.getDeclarations();
  const comments = declaration !== undefined && Node.isJSDocable(declaration) ? declaration.getJsDocs() : [];
  const meaning = comments.map((comment) => comment.getDescription().replace(/\s+/g, " ").trim()).join(" ");
  return {
    name: property.getName(),
    required: !property.isOptional(),
    meaning: meaning || (USUAL.get(property.getName()) ?? ""),
  };
}
