/**
 * Letters in a file: one JSON object a line, in the form in which `aws sqs receive-message` prints a message, binary
 * attributes in base64. Holds payloads, so nobody but its owner may read it.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Attribute } from '../../../functions/aws/sqs.ts';
import { isRecord, parseJson } from '../../../functions/untrusted.ts';
import { type Attributes, type Letter, letterOf, type StoredMessage } from './letter.ts';
import { Mistake } from './mistake.ts';
import type { Source } from './source.ts';

export interface LetterFile {
  write(letter: Letter): Promise<void>;
  close(): Promise<void>;
}

/** @throws Mistake if the file exists: an earlier export may be all that is left of its letters */
export async function createLetterFile(path: string): Promise<LetterFile> {
  let file: FileHandle;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (error) {
    throw fileMistake(path, error);
  }
  return {
    write: async ({ stored: { MessageId, Body, Attributes, MessageAttributes } }) => {
      const line = { MessageId, Body, Attributes, MessageAttributes: writeAttributes(MessageAttributes) };
      await file.write(`${JSON.stringify(line)}\n`);
    },
    close: async () => {
      await file.sync();
      await file.close();
    },
  };
}

/** A file as a source: nothing in it is hidden or deleted, so what was sent is known from the journal alone. */
export async function openLetterFile(path: string, signal: AbortSignal): Promise<Source> {
  let letterCount = 0;
  // Read whole before anything is sent: a mistake in the last line is found first.
  for await (const _ of readLetters(path)) letterCount += 1;

  async function* letters(): AsyncGenerator<Letter> {
    for await (const letter of readLetters(path)) {
      if (signal.aborted) return;
      yield letter;
    }
  }

  return {
    count: async () => letterCount,
    letters,
    renew: async () => true,
    delete: async () => undefined,
    missing: async () => [],
    release: async () => [],
  };
}

async function* readLetters(path: string): AsyncGenerator<Letter> {
  let number = 0;
  const ids = new Set<string>();
  try {
    for await (const line of readLines(path)) {
      number += 1;
      if (line.trim() === '') continue;
      const stored = readLine(line);
      if (stored === undefined) throw new Mistake(`${path}: line ${number} is no exported letter`);
      if (ids.has(stored.MessageId)) throw new Mistake(`${path}: line ${number} repeats an earlier letter`);
      ids.add(stored.MessageId);
      yield letterOf(stored);
    }
  } catch (error) {
    throw fileMistake(path, error);
  }
}

/** Not by node:readline, which also ends a line at U+2028 and U+2029: these may stand in a JSON text. */
async function* readLines(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(path, 'utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

function fileMistake(path: string, error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  const WORDS: Readonly<Record<string, string>> = {
    EEXIST: 'exists already, and is not overwritten',
    ENOENT: 'there is no such file',
    EISDIR: 'is a folder',
    EACCES: 'access is denied',
  };
  return new Mistake(`${path}: ${WORDS[String(error.code)] ?? String(error.code)}`);
}

function readLine(line: string): StoredMessage | undefined {
  const json = parseJson(line);
  if (!isRecord(json)) return undefined;
  const { MessageId, Body, MessageAttributes = {}, Attributes = {} } = json;
  const attributes = readAttributes(MessageAttributes);
  if (typeof MessageId !== 'string' || MessageId === '' || typeof Body !== 'string') return undefined;
  if (attributes === undefined || !isTexts(Attributes)) return undefined;
  return { MessageId, Body, MessageAttributes: attributes, Attributes };
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === 'string');
}

function readAttributes(json: unknown): Attributes | undefined {
  if (!isRecord(json)) return undefined;
  const attributes: [string, Attribute][] = [];
  for (const [name, attribute] of Object.entries(json)) {
    if (!isRecord(attribute) || typeof attribute.DataType !== 'string') return undefined;
    const { DataType, StringValue, BinaryValue } = attribute;
    if (typeof StringValue === 'string') attributes.push([name, { DataType, StringValue }]);
    else if (typeof BinaryValue === 'string')
      attributes.push([name, { DataType, BinaryValue: Buffer.from(BinaryValue, 'base64') }]);
    else return undefined;
  }
  return Object.fromEntries(attributes);
}

function writeAttributes(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { BinaryValue, ...attribute }]) => [
      name,
      BinaryValue === undefined
        ? attribute
        : { ...attribute, BinaryValue: Buffer.from(BinaryValue).toString('base64') },
    ]),
  );
}
