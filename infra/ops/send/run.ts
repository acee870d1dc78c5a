/**
 * The command itself: reads the words, signs, sends, prints the answer. How it signs owes nothing to how the webhook
 * verifies: what passes has passed two readings of the same documentation.
 */
import { Mistake } from '../replay/mistake.ts';
import { harmless } from '../replay/terminal.ts';
import { readSendCommand, type SendSources } from './arguments.ts';
import { curlLine } from './curl.ts';
import { SEND_MANUAL } from './manual.ts';
import type { SendRequest } from './request.ts';
import { signed } from './signature.ts';

export interface SendOutside extends SendSources {
  readonly stdout: { write(words: string): unknown };
  readonly stderr: { write(words: string): unknown };
}

/** Of the answer; the rest is the gateway's affair. */
const SHOWN = [
  'content-type',
  'retry-after',
  'allow',
  'www-authenticate',
  'webhook-allowed-origin',
  'webhook-allowed-rate',
];
const PLAIN_SECRET =
  'send: warning: a secret given plain is kept by the shell in its history and, where that is not switched off as here, ' +
  'by npm in its debug log, and other users of this machine see it; write --secret env:NAME or --secret @file\n';
/** The gateway gives up after 30 s. */
const TIMEOUT_MS = 35_000;

/** @returns the exit code; never rejects */
export async function runSend(argv: readonly string[], outside: SendOutside): Promise<number> {
  const { stdout, stderr } = outside;
  try {
    const command = await readSendCommand(argv, outside);
    if (command === 'help') {
      stdout.write(SEND_MANUAL);
      return 0;
    }
    if ('queue' in command) {
      // The SDK takes its time to load, and a webhook does without it.
      const { sendToQueue } = await import('./queue.ts');
      stdout.write(`${await sendToQueue(command, outside.environment)}\n`);
      return 0;
    }
    const request = await signed(command, outside.environment);
    refuseUnsendable(request);
    if (command.isSecretPlain) stderr.write(PLAIN_SECRET);
    if (command.curl) stdout.write(`${curlLine(request)}\n`);
    const { method, headers, body, url } = request;
    const answer = await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body.byteLength === 0 ? {} : { body }),
    });
    const shown = SHOWN.flatMap((name) => (answer.headers.has(name) ? [`${name}: ${answer.headers.get(name)}`] : []));
    const text = await answer.text();
    const lines = [`${answer.status} ${answer.statusText}`.trim(), ...shown, ...(text === '' ? [] : ['', text])];
    for (const line of lines.join('\n').split('\n')) stdout.write(`${harmless(line)}\n`);
    return answer.ok ? 0 : 1;
  } catch (error) {
    stderr.write(`send: ${harmless(wordsOf(error))}\n`);
    return error instanceof Mistake ? 2 : 1;
  }
}

/** The words of fetch would quote the value, which may be the secret. */
function refuseUnsendable({ headers }: SendRequest): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      new Headers({ [name]: value });
    } catch {
      throw new Mistake(`${name}: holds what no header can carry, a line break or a character beyond Latin-1`);
    }
  }
}

/** Of a call that failed, fetch keeps the reason below. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { cause } = error;
  const reason = cause instanceof Error ? `: ${cause.message || String((cause as NodeJS.ErrnoException).code)}` : '';
  return `${error.message || error.name}${reason}`.replace(/\s*\n\s*/g, ' ');
}
