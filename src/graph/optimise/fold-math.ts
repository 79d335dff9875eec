/**
 * What ComfyUI's math node makes of an expression whose values are known: the part of Python's arithmetic in which a double and
 * an integer of any length come out the same here to the last bit. Everything else stays for the server.
 */
import { bool, float, int, isTruthy, type PythonValue } from './python-value.ts';

type Numeric = Extract<PythonValue, { type: 'int' | 'float' }>;

/** What ends the reading of an expression that is not understood, or whose result is not certain. */
class Uncertain extends Error {}

const MAX_LENGTH = 1000;
/** Digits of an integer that is worth the while; seeds have 20. */
const MAX_BITS = 4096;

/** FLOAT, INT and, in later versions, BOOL. */
export function foldExpression(expression: string, names: (name: string) => PythonValue | undefined): readonly PythonValue[] | undefined {
  if (expression.length > MAX_LENGTH) return undefined;
  try {
    const result = new Reader(expression, names).whole();
    return [float(double(result)), int(result.type === 'int' ? result.value : BigInt(Math.trunc(result.value))), bool(isTruthy(result))];
  } catch (error) {
    if (error instanceof Uncertain) return undefined;
    throw error;
  }
}

// --- helpers ---

const TOKEN = /\s*(?:(\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+)|([A-Za-z_]\w*)|(\*\*|\/\/|[-+*/%(),]))/y;

class Reader {
  readonly #tokens: string[] = [];
  readonly #names: (name: string) => PythonValue | undefined;
  #at = 0;

  constructor(text: string, names: (name: string) => PythonValue | undefined) {
    this.#names = names;
    const end = text.trimEnd().length;
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < end) {
      const match = TOKEN.exec(text);
      if (match === null) throw new Uncertain();
      this.#tokens.push(match[1] ?? match[2] ?? match[3] ?? '');
    }
  }

  whole(): Numeric {
    const value = this.#sum();
    if (this.#at < this.#tokens.length) throw new Uncertain();
    return value;
  }

  #take(...wanted: readonly string[]): string | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined || !wanted.includes(token)) return undefined;
    this.#at += 1;
    return token;
  }

  #sum(): Numeric {
    let left = this.#product();
    for (let sign = this.#take('+', '-'); sign !== undefined; sign = this.#take('+', '-')) left = operate(sign, left, this.#product());
    return left;
  }

  #product(): Numeric {
    let left = this.#signed();
    for (let sign = this.#take('*', '/', '//', '%'); sign !== undefined; sign = this.#take('*', '/', '//', '%'))
      left = operate(sign, left, this.#signed());
    return left;
  }

  /** A sign binds less than a power to its right: -2 ** 2 is -4. */
  #signed(): Numeric {
    const sign = this.#take('-', '+');
    if (sign === undefined) return this.#power();
    const value = this.#signed();
    if (sign === '+') return value;
    return value.type === 'int' ? asInt(-value.value) : asFloat(-value.value);
  }

  #power(): Numeric {
    const base = this.#atom();
    return this.#take('**') === undefined ? base : power(base, this.#signed());
  }

  #atom(): Numeric {
    if (this.#take('(') !== undefined) {
      const value = this.#sum();
      if (this.#take(')') === undefined) throw new Uncertain();
      return value;
    }
    const token = this.#tokens[this.#at];
    this.#at += 1;
    if (token === undefined) throw new Uncertain();
    // Python refuses a number that begins with a zero.
    if (/^(?:0|[1-9]\d*)$/.test(token)) return asInt(BigInt(token));
    if (/^[\d.]/.test(token)) {
      if (/^\d+$/.test(token)) throw new Uncertain();
      return asFloat(Number(token));
    }
    if (this.#take('(') !== undefined) return call(token, this.#arguments());
    const value = this.#names(token);
    if (value?.type !== 'int' && value?.type !== 'float') throw new Uncertain();
    return value;
  }

  #arguments(): readonly Numeric[] {
    const found: Numeric[] = [];
    while (this.#take(')') === undefined) {
      if (found.length > 0 && this.#take(',') === undefined) throw new Uncertain();
      found.push(this.#sum());
    }
    return found;
  }
}

function asInt(value: bigint): Numeric {
  if (value.toString(2).length > MAX_BITS) throw new Uncertain();
  return { type: 'int', value };
}

/** Python raises where a result is no number, and NaN is none that could be written. */
function asFloat(value: number): Numeric {
  if (!Number.isFinite(value)) throw new Uncertain();
  return { type: 'float', value };
}

/** Python divides integers of any length and rounds once; here they are rounded before. */
function exact(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Uncertain();
  return number;
}

/** Both languages round an integer that is too long for a double to the nearest one, ties to even. */
function double({ value }: Numeric): number {
  const number = Number(value);
  if (!Number.isFinite(number)) throw new Uncertain();
  return number;
}

function operate(sign: string, left: Numeric, right: Numeric): Numeric {
  const areInts = left.type === 'int' && right.type === 'int';
  if (areInts && sign !== '/') return integers(sign, left.value, right.value);
  const [a, b] = areInts ? [exact(left.value), exact(right.value)] : [double(left), double(right)];
  switch (sign) {
    case '+':
      return asFloat(a + b);
    case '-':
      return asFloat(a - b);
    case '*':
      return asFloat(a * b);
    case '/':
      if (b === 0) throw new Uncertain();
      return asFloat(a / b);
    default: {
      if (b === 0) throw new Uncertain();
      const [quotient, rest] = floatDivision(a, b);
      return asFloat(sign === '%' ? rest : quotient);
    }
  }
}

function integers(sign: string, a: bigint, b: bigint): Numeric {
  if (sign === '+') return asInt(a + b);
  if (sign === '-') return asInt(a - b);
  if (sign === '*') return asInt(a * b);
  if (b === 0n) throw new Uncertain();
  // Python rounds down, and the rest has the sign of the divisor.
  const rest = ((a % b) + b) % b;
  return asInt(sign === '%' ? rest : (a - rest) / b);
}

/** Python's divmod() of doubles (Objects/floatobject.c): the rest has the divisor's sign, the quotient is rounded down. */
function floatDivision(a: number, b: number): readonly [number, number] {
  let rest = a % b;
  let quotient = (a - rest) / b;
  if (rest !== 0) {
    if (rest < 0 !== b < 0) {
      rest += b;
      quotient -= 1;
    }
  } else rest = b < 0 ? -0 : 0;
  if (quotient === 0) return [a / b < 0 || Object.is(a / b, -0) ? -0 : 0, rest];
  const floor = Math.floor(quotient);
  return [quotient - floor > 0.5 ? floor + 1 : floor, rest];
}

/** Powers of doubles are the work of the C library, whose last bit is its own. */
function power(base: Numeric, exponent: Numeric): Numeric {
  if (base.type !== 'int' || exponent.type !== 'int' || exponent.value < 0n || exponent.value > 64n) throw new Uncertain();
  return asInt(base.value ** exponent.value);
}

function call(name: string, given: readonly Numeric[]): Numeric {
  const [first, ...more] = given;
  if (first === undefined) throw new Uncertain();
  if (name === 'min' || name === 'max') {
    if (more.length === 0) throw new Uncertain();
    // The first of equal ones stays, as in Python.
    return more.reduce((best, next) => ((name === 'min' ? isLess(next, best) : isLess(best, next)) ? next : best), first);
  }
  if (more.length > 0) throw new Uncertain();
  switch (name) {
    case 'abs':
      if (first.type === 'int') return asInt(first.value < 0n ? -first.value : first.value);
      return asFloat(Math.abs(first.value));
    case 'int':
      return first.type === 'int' ? first : asInt(BigInt(Math.trunc(first.value)));
    case 'float':
      return asFloat(double(first));
    case 'floor':
      return first.type === 'int' ? first : asInt(BigInt(Math.floor(first.value)));
    case 'ceil':
      return first.type === 'int' ? first : asInt(BigInt(Math.ceil(first.value)));
    case 'round':
      return first.type === 'int' ? first : asInt(BigInt(halfToEven(first.value)));
    case 'sqrt':
      if (double(first) < 0) throw new Uncertain();
      return asFloat(Math.sqrt(double(first)));
    default:
      throw new Uncertain();
  }
}

function isLess(a: Numeric, b: Numeric): boolean {
  return a.value < b.value;
}

/** Python's round(x): a half goes to the even neighbour. */
function halfToEven(value: number): number {
  const floor = Math.floor(value);
  const part = value - floor;
  if (part !== 0.5) return part < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
