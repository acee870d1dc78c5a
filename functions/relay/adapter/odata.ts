/**
 * What SAP's OData (V2) sender adapter wants of a call: answers asked for as JSON, and a CSRF token of the service
 * beforehand. What its answers say beyond the status: the error's code and message, and of a batch, which is always
 * answered 202, what became of each operation in it.
 *
 * @see SAP Help, "Configure the OData Sender Adapter", "Invoking an OData API"; OData V2, "Batch Processing"
 */
import type { HttpAnswer } from '../../http-client.ts';
import type { Token } from '../../token/token-endpoint.ts';
import type { Destination, ODataSettings } from '../destination.ts';
import type { Message } from '../message.ts';
import { type Finding, type Outcome, outcomeOfAnswer } from '../outcome.ts';
import { type Adapter, type AdapterOptions, createAdapter } from './adapter.ts';
import { type Operation, operationsIn } from './batch-answer.ts';
import { mediaTypeOf } from './charset.ts';
import { codeForLog, textForLetter } from './error-text.ts';
import { errorIn } from './odata-error.ts';

/** An answer to a batch has as many answers in it as the batch operations. */
const BATCH_ANSWER_BYTES = 4_194_304;
const BATCH = 'multipart/mixed';

export function odataAdapter(options: AdapterOptions<Destination & ODataSettings>): Adapter {
  const { pathFrom, resendPartialBatch, contentType: usual } = options.destination;

  async function read(answer: HttpAnswer, _: Message, token: Token): Promise<Finding | undefined> {
    const { status, headers } = answer;
    if (status >= 200 && status < 300) {
      if (mediaTypeOf(headers['content-type']) !== BATCH) return undefined;
      return readBatch(answer, token);
    }
    const told = await toldIn(answer, token);
    return told === undefined ? undefined : { ...meaningOf(status, pathFrom !== undefined), ...told };
  }

  async function readBatch(answer: HttpAnswer, token: Token): Promise<Finding | undefined> {
    const { operations, isWhole } = operationsIn(answer);
    const failed = operations.filter(({ status }) => status < 200 || status > 299);
    const [first] = failed;
    if (first === undefined) {
      if (isWhole) return undefined;
      const says = 'a batch answer that cannot be read to its end';
      return partial('failed', { says }, 'which operations were carried out is unknown');
    }
    const outcomes = failed.map((operation) => ({ operation, outcome: outcomeInBatch(operation) }));
    // The one that keeps the message longest decides: what an operator can mend, a later try, and only then nothing.
    const kinds = ['blocked', 'failed', 'rejected'] as const;
    const kind = kinds.find((one) => outcomes.some(({ outcome }) => outcome.kind === one)) ?? 'failed';
    const deciding = outcomes.find(({ outcome }) => outcome.kind === kind)?.operation ?? first;
    const error = await toldIn(deciding, token);
    const count = `${failed.length} of ${operations.length} operations of the batch failed`;
    const says = `${count}, one with ${deciding.status}${error === undefined ? '' : ` and ${error.says}`}`;
    const told = { ...error, says };
    if (!isWhole || failed.length < operations.length) return partial(kind, told, 'the others were carried out');
    const isRefused = outcomes.every(({ outcome }) => outcome.executed === 'no');
    return { kind, ...told, executed: isRefused ? 'no' : 'unknown' };
  }

  /** Sent again, what was carried out would be carried out twice: so it goes where a person decides, unless told otherwise. */
  function partial(kind: 'rejected' | 'failed' | 'blocked', told: Told, done: string): Finding {
    if (resendPartialBatch || kind === 'rejected') return { kind, ...told };
    return {
      kind: 'rejected',
      ...told,
      conclusion: `${done}, and sent again they would run twice; the operator must decide`,
    };
  }

  return createAdapter(options, {
    shape: ({ contentType }) => ({
      headers: { Accept: 'application/json' },
      ...(mediaTypeOf(contentType ?? usual) === BATCH ? { keepBytes: BATCH_ANSWER_BYTES } : {}),
    }),
    read,
    csrfUrl: serviceRoot,
  });
}

/**
 * What a status means where the service itself says it: it is there, so a 404 or 405 is about what the request named.
 *
 * @param isNamed whether the message named that, and not the settings
 */
function meaningOf(status: number, isNamed: boolean): Pick<Finding, 'kind' | 'conclusion'> {
  if (isNamed && (status === 404 || status === 405)) return { kind: 'rejected' };
  return status === 501 ? { kind: 'blocked', conclusion: NOT_IMPLEMENTED } : {};
}

const NOT_IMPLEMENTED =
  'the service cannot do what it is asked for; the operator must check the settings "method" and "adapter", and the flow';

/** What an operation is about was said in the batch. */
function outcomeInBatch(operation: Operation): Outcome {
  const { kind } = meaningOf(operation.status, true);
  const finding = kind === undefined ? undefined : ({ kind, says: '', executed: 'unknown' } as const);
  return outcomeOfAnswer({ ...operation, truncated: false, resent: false }, { finding });
}

type Told = Pick<Finding, 'says' | 'detail'>;

async function toldIn(answer: Operation, token: Token): Promise<Told | undefined> {
  const error = await errorIn(answer);
  if (error === undefined) return undefined;
  const code = codeForLog(error.code ?? '', token);
  const detail = textForLetter(error.text ?? '', token);
  return { says: `OData error${code === undefined ? '' : ` ${code}`}`, ...(detail === undefined ? {} : { detail }) };
}

/** Where reading runs no flow: the service document, which is made of the service's metadata. */
function serviceRoot(endpoint: URL): URL {
  const url = new URL(endpoint);
  const [, root] = /^(.*\/gw\/odata\/SAP\/[^/]+)(\/|$)/.exec(url.pathname) ?? [];
  if (root !== undefined) url.pathname = `${root}/`;
  return url;
}
