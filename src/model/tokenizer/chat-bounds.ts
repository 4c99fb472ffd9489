/**
 * A Jinja interpreter that always stops. A chat template is a program from a file that nobody here wrote, so what it may
 * use is bounded: steps, nesting, time, the size of every value, and all text together.
 *
 * The library evaluates every node through `evaluate`, so that is where the bounds are kept. Between two calls it does only
 * one operation on values within bounds; the few that multiply sizes (`replace`, `join`, `indent`) take small arguments only.
 */

import { Interpreter } from "@huggingface/jinja";

type Evaluate = Interpreter["evaluate"];
type Value = ReturnType<Evaluate>;
type Statement = NonNullable<Parameters<Evaluate>[0]>;
type Scope = Parameters<Evaluate>[1];

const maxSteps = 2_000_000;
const maxDepth = 400;
const maxMilliseconds = 1000;
const maxItems = 100_000;
/** What a template may make of nothing; more for longer conversations. */
const baseSize = 500_000;
const sizePerInput = 8;
/** All text produced, in units of the largest single value. */
const maxTotal = 32;
/** Arguments of operations whose result is as large as their product. */
const maxFactor = 200;
const maxIndent = 64;
/** What is searched for: searching costs the product at worst. */
const maxNeedle = 4096;

const multiplying: ReadonlySet<string> = new Set(["indent", "tojson", "join", "replace"]);

export class BoundedInterpreter extends Interpreter {
  readonly #maxSize: number;
  readonly #deadline = performance.now() + maxMilliseconds;
  readonly #sizes = new WeakMap<object, number>();
  /** Nodes whose text may not be longer than this. */
  readonly #limited = new WeakMap<object, number>();
  readonly #guarded = new WeakSet<object>();
  #steps = 0;
  #depth = 0;
  #total = 0;

  /** @param input characters of the conversation */
  constructor(scope: Scope, input: number) {
    super(scope);
    this.#maxSize = baseSize + sizePerInput * input;
  }

  override evaluate(node: Statement | undefined, scope: Scope): Value {
    assert(++this.#steps <= maxSteps, `more than ${maxSteps} steps`);
    assert(this.#depth < maxDepth, `nested more than ${maxDepth} deep`);
    assert(performance.now() < this.#deadline, `longer than ${maxMilliseconds} ms`);
    this.#depth++;
    try {
      if (node) this.#limitOperands(node);
      const value = super.evaluate(node, scope);
      if (node) this.#check(node, value);
      return value;
    } finally {
      this.#depth--;
    }
  }

  /** Notes which operands of `node` must be small, before they are evaluated. */
  #limitOperands(node: object): void {
    if ("operator" in node && "left" in node && / ?in$/.test(String(field(node.operator, "value")))) {
      if (node.left instanceof Object) this.#limited.set(node.left, maxNeedle);
    }
    const filter = field(node, "filter");
    if (!multiplying.has(String(field(field(filter, "callee"), "value")))) return;
    const args = field(filter, "args");
    for (const argument of Array.isArray(args) ? args : []) {
      const inner = argument.type === "KeywordArgumentExpression" ? argument.value : argument;
      assert(!/Spread/.test(inner.type), "unpacked arguments of a filter");
      this.#limited.set(inner, maxFactor);
    }
  }

  #check(node: Statement, value: Value): void {
    const content: unknown = value.value;
    const size = this.#size(value);
    assert(size <= this.#maxSize, `a value of more than ${this.#maxSize} characters`);
    const limit = this.#limited.get(node) ?? Number.POSITIVE_INFINITY;
    if (typeof content === "string") assert(size <= limit, `an argument of more than ${limit} characters`);
    if (typeof content === "number" && limit === maxFactor)
      assert(content <= maxIndent, `an indent above ${maxIndent}`);
    if (typeof content === "string" && node.type !== "Identifier") {
      this.#total += size;
      assert(this.#total <= maxTotal * this.#maxSize, `more than ${maxTotal * this.#maxSize} characters in all`);
    }
    if (node.type === "MemberExpression") this.#guardMethod(node, value);
  }

  /** Characters and items in a value, as if it were written out: shared parts count every time they appear. */
  #size(value: Value, nested = false): number {
    const content: unknown = value.value;
    if (typeof content === "string") return content.length + 1;
    if (!(content instanceof Map) && !Array.isArray(content)) return 1;
    const namespace = value.type === "NamespaceValue";
    // The only values that change: inside others they would make the sizes below untrue.
    assert(!(namespace && nested), "a namespace inside another value");
    const known = namespace ? undefined : this.#sizes.get(content);
    if (known !== undefined) return known;
    const items: Iterable<Value> = content.values();
    let size = content instanceof Map ? [...content.keys()].join("").length + 1 : 1;
    assert((content instanceof Map ? content.size : content.length) <= maxItems, `more than ${maxItems} items`);
    for (const item of items) size += item === undefined ? 1 : this.#size(item, true);
    this.#sizes.set(content, size);
    return size;
  }

  /** `text.replace` and its like, wherever they are called later; `get` only hands its default back. */
  #guardMethod(node: object, value: Value): void {
    const method: unknown = value.value;
    if (typeof method !== "function" || this.#guarded.has(value)) return;
    if (!field(node, "computed") && field(field(node, "property"), "value") === "get") return;
    this.#guarded.add(value);
    value.value = (args: Value[], scope: Scope) => {
      for (const { value: argument } of args) {
        const small = typeof argument !== "string" || argument.length <= maxFactor;
        assert(small, `an argument of more than ${maxFactor} characters`);
      }
      return method(args, scope);
    };
  }
}

const field = (node: unknown, name: string): unknown => (node instanceof Object ? Reflect.get(node, name) : undefined);

function assert(ok: boolean, found: string): asserts ok {
  if (!ok) throw new RangeError(found);
}
