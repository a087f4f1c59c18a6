/** What a rule says, as a tree. The part of PromQL that the rules and the dashboard use, and nothing more. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | {
      readonly kind: 'selector';
      readonly name: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly rangeSeconds: number | null;
    }
  | { readonly kind: 'call'; readonly name: 'rate' | 'increase' | 'histogram_quantile'; readonly parameters: readonly Expression[] }
  | { readonly kind: 'aggregate'; readonly operator: 'sum' | 'max'; readonly by: readonly string[]; readonly of: Expression }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression };

export type BinaryOperator = 'and' | Comparison | '/' | '*';
export type Comparison = '>' | '<' | '>=' | '<=' | '==';

const TOKEN = /\s*(?:(\d+(?:\.\d+)?[smhd]?)|([a-zA-Z_][a-zA-Z0-9_]*)|"([^"]*)"|(>=|<=|==|[><=/*(){}[\],]))/y;
const COMPARISONS: ReadonlySet<string> = new Set(['>', '<', '>=', '<=', '==']);
const CALLS: ReadonlySet<string> = new Set(['rate', 'increase', 'histogram_quantile']);
const AGGREGATES: ReadonlySet<string> = new Set(['sum', 'max']);
const SECONDS_OF_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

interface Token {
  readonly kind: 'number' | 'word' | 'text' | 'sign';
  readonly text: string;
}

/** @throws Error for anything that is not in that part */
export function parsePromQl(text: string): Expression {
  const parser = new Parser(tokensOf(text.trim()));
  const expression = parser.all();
  return expression;
}

/** `5m` in seconds. */
export function secondsOf(duration: string): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  if (amount === undefined) throw new Error(`Not a duration: ${duration}`);
  return Number(amount) * SECONDS_OF_UNIT[unit!]!;
}

/** Every selector of the expression. */
export function selectorsOf(expression: Expression): Extract<Expression, { kind: 'selector' }>[] {
  switch (expression.kind) {
    case 'number':
      return [];
    case 'selector':
      return [expression];
    case 'call':
      return expression.parameters.flatMap(selectorsOf);
    case 'aggregate':
      return selectorsOf(expression.of);
    case 'binary':
      return [...selectorsOf(expression.left), ...selectorsOf(expression.right)];
  }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const [, number, word, quoted, sign] = TOKEN.exec(text) ?? [];
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else if (quoted !== undefined) tokens.push({ kind: 'text', text: quoted });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else throw new Error(`Not understood at ${at}: ${text}`);
  }
  return tokens;
}

class Parser {
  private position = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  all(): Expression {
    const expression = this.conjunction();
    if (this.position < this.tokens.length) throw new Error(`Not expected: ${this.tokens[this.position]!.text}`);
    return expression;
  }

  private conjunction(): Expression {
    let left = this.comparison();
    while (this.take('and')) left = { kind: 'binary', operator: 'and', left, right: this.comparison() };
    return left;
  }

  private comparison(): Expression {
    const left = this.product();
    const sign = this.peek()?.text ?? '';
    if (!COMPARISONS.has(sign)) return left;
    this.position++;
    return { kind: 'binary', operator: sign as Comparison, left, right: this.product() };
  }

  private product(): Expression {
    let left = this.operand();
    for (;;) {
      const operator = this.take('/') ? '/' : this.take('*') ? '*' : null;
      if (operator === null) return left;
      left = { kind: 'binary', operator, left, right: this.operand() };
    }
  }

  private operand(): Expression {
    const token = this.next();
    if (token.kind === 'number') return { kind: 'number', value: Number(token.text) };
    if (token.text === '(') {
      const inner = this.conjunction();
      this.expect(')');
      return inner;
    }
    if (token.kind !== 'word') throw new Error(`Not expected: ${token.text}`);
    if (AGGREGATES.has(token.text)) return this.aggregate(token.text as 'sum' | 'max');
    if (CALLS.has(token.text)) return this.call(token.text as 'rate');
    return this.selector(token.text);
  }

  private aggregate(operator: 'sum' | 'max'): Expression {
    const by: string[] = [];
    if (this.take('by')) {
      this.expect('(');
      do by.push(this.next().text);
      while (this.take(','));
      this.expect(')');
    }
    this.expect('(');
    const of = this.conjunction();
    this.expect(')');
    return { kind: 'aggregate', operator, by, of };
  }

  private call(name: 'rate' | 'increase' | 'histogram_quantile'): Expression {
    const parameters: Expression[] = [];
    this.expect('(');
    do parameters.push(this.conjunction());
    while (this.take(','));
    this.expect(')');
    return { kind: 'call', name, parameters };
  }

  private selector(name: string): Expression {
    const labels: Record<string, string> = {};
    if (this.take('{')) {
      do {
        const label = this.next().text;
        this.expect('=');
        labels[label] = this.next().text;
      } while (this.take(','));
      this.expect('}');
    }
    let rangeSeconds: number | null = null;
    if (this.take('[')) {
      rangeSeconds = secondsOf(this.next().text);
      this.expect(']');
    }
    return { kind: 'selector', name, labels, rangeSeconds };
  }

  private peek(): Token | undefined {
    return this.tokens[this.position];
  }

  private next(): Token {
    const token = this.tokens[this.position++];
    if (token === undefined) throw new Error('It ends too early');
    return token;
  }

  private take(text: string): boolean {
    if (this.peek()?.text !== text || this.peek()?.kind === 'text') return false;
    this.position++;
    return true;
  }

  private expect(text: string): void {
    if (!this.take(text)) throw new Error(`Expected ${text} before ${this.peek()?.text ?? 'the end'}`);
  }
}
