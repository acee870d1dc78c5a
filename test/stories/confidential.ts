/**
 * Everything that must never be seen in an output: secrets, tokens and payloads register themselves here as they come
 * up, and whatever the relay's processes print is held against them, raw, in base64 and URL-encoded.
 */
export interface Confidential {
  register(value: string): void;
  /** What of the registered was found in these lines, as `<form> of a value of <n> characters in: <line>`. */
  leaksIn(lines: readonly string[]): string[];
  readonly size: number;
}

/** Shorter ones stand in any text by chance. */
const MIN_CHARACTERS = 8;

export function createConfidential(): Confidential {
  const values = new Set<string>();
  return {
    register: (value) => {
      if (value.length >= MIN_CHARACTERS) values.add(value);
    },
    leaksIn(lines) {
      const output = lines.join('\n');
      return [...values].flatMap((value) =>
        Object.entries(formsOf(value))
          .filter(([, form]) => output.includes(form))
          .map(([name, form]) => `${name} of a value of ${value.length} characters in: ${lineWith(lines, form)}`),
      );
    },
    get size() {
      return values.size;
    },
  };
}

function formsOf(value: string): Record<string, string> {
  const base64 = Buffer.from(value).toString('base64').replace(/=+$/, '');
  return {
    raw: value,
    escaped: JSON.stringify(value).slice(1, -1),
    // The last characters of base64 depend on what follows, the ones before do not.
    base64: base64.slice(0, Math.max(8, base64.length - 2)),
    'URL-encoded': encodeURIComponent(value),
  };
}

function lineWith(lines: readonly string[], form: string): string {
  return (lines.find((line) => line.includes(form)) ?? '').slice(0, 200);
}
