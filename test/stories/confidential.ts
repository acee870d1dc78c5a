/**
 * Everything that must never be seen in an output: secrets, tokens and payloads register themselves here as they come
 * up, and whatever the relay's processes print is held against them, raw, escaped as in JSON, URL-encoded, and in
 * base64 wherever in a longer text they may have stood.
 */
export interface Confidential {
  register(value: string): void;
  /** What of the registered was found in these lines, as `<form> of a value of <n> characters in: <line>`. */
  leaksIn(lines: readonly string[]): string[];
  readonly size: number;
}

/** Shorter ones occur in any text. */
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
        formsOf(value)
          .filter(([, form]) => output.includes(form))
          .map(([name, form]) => `${name} of a value of ${value.length} characters in: ${lineWith(lines, form)}`),
      );
    },
    get size() {
      return values.size;
    },
  };
}

function formsOf(value: string): (readonly [name: string, form: string])[] {
  const forms = [
    ['raw', value],
    ['escaped', JSON.stringify(value).slice(1, -1)],
    ['URL-encoded', encodeURIComponent(value)],
    ...[0, 1, 2].flatMap((bytesBefore) => base64Of(value, bytesBefore)),
  ] as const;
  // Some forms are the same as the one before; they are reported once, by the first name.
  return forms.filter(([, form], index) => forms.findIndex(([, earlier]) => earlier === form) === index);
}

/**
 * What of the value's base64 does not depend on its neighbours: three bytes become four characters, so how many bytes
 * stand before it, modulo three, decides the characters, and those that share bits with a neighbour are left out.
 */
function base64Of(value: string, bytesBefore: number): [string, string][] {
  const bytes = Buffer.from(value);
  const firstCharacter = Math.ceil((bytesBefore * 8) / 6);
  const endCharacter = Math.floor(((bytesBefore + bytes.byteLength) * 8) / 6);
  const padded = Buffer.concat([Buffer.alloc(bytesBefore), bytes]);
  return (['base64', 'base64url'] as const).map((encoding) => [
    encoding,
    padded.toString(encoding).slice(firstCharacter, endCharacter),
  ]);
}

function lineWith(lines: readonly string[], form: string): string {
  return (lines.find((line) => line.includes(form)) ?? '').slice(0, 200);
}
