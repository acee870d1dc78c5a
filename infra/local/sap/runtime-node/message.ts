/**
 * A message of an integration flow as data: what the flow gets, what it makes of it, and what the message processing
 * log has of it afterwards. Who makes and who reads them are the flow, its sender adapter and the runtime node.
 */
import type { Answer } from '../../server/server.ts';
import type { ODataOperation } from './odata/channel.ts';
import type { SoapMessage } from './soap/channel.ts';

/** SAP's sender adapters that take OAuth: HTTPS, SOAP (SOAP 1.x), SOAP (SAP RM), OData. */
export type Sender = 'https' | 'soap' | 'soap-rm' | 'odata';

/** A message for which a flow runs. */
export interface Received {
  /** Name of the flow. */
  readonly flow: string;
  readonly sender: Sender;
  /** Its entry of the message processing log. */
  readonly mplId: string;
  /** Epoch milliseconds of the request's arrival. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** The exchange's headers: of the request's those that may pass, its query parameters, and what the adapter adds. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names, as sent, of request headers that did not reach the flow since they are not among its allowed headers. */
  readonly droppedHeaders: readonly string[];
  /** As it was sent; of a `$batch` the body of the one operation. */
  readonly body: Buffer;
  /** Of `body`; lower-case hex. */
  readonly bodySha256: string;
  /**
   * What the sender named it: the header `SAP_ApplicationID` as it was sent, whether the flow may see it or not; at SAP
   * RM its message id, without `uuid:` or `urn:uuid:`.
   */
  readonly messageId: string | undefined;
  /** What the SOAP senders read of the envelope. */
  readonly soap?: SoapMessage;
  /** What the OData sender was asked for. */
  readonly odata?: ODataOperation;
}

/** A message whose flow has run, as the message processing log shows it. */
export interface Processed extends Received {
  /** That the sender was answered. */
  readonly status: number;
  /** A flow that failed after its sender was answered is `FAILED` as well: WS Standard. */
  readonly mplStatus: 'COMPLETED' | 'FAILED';
  /** The exception's text, whether the sender is told it or not. */
  readonly error: string | undefined;
  /** An idempotent process call has seen its id before, so that the flow's work was not done again. */
  readonly duplicate: boolean;
}

/** A SOAP fault of the flow's own, as its script makes it with `SoapFaultFactory`. */
export interface FlowFault {
  /** Whose fault it is: `soap:Client` and `soap:Server`, with SOAP 1.2 `Sender` and `Receiver`. */
  readonly fault: 'client' | 'server';
  readonly text: string;
  /** XML, inside the fault's detail. */
  readonly detail?: string;
}

/**
 * An answer (any status is `CamelHttpResponseCode`), the flow's failure (with the exception's text), a SOAP fault, or
 * no content. At the SOAP senders the answer's body is the content of the envelope's Body; at the OData sender no
 * result means that the flow's entity sets do what was asked, and an answer without a body is the empty payload that is
 * an error there.
 */
export type FlowResult = Answer | 'exception' | { readonly exception: string } | FlowFault | undefined;

/** What came of one run. */
export interface Outcome {
  readonly result: FlowResult;
  readonly duplicate: boolean;
}

/** The exception's text of a failure; undefined where the result is none. */
export function failureOf(result: FlowResult): string | undefined {
  if (result === 'exception') return '';
  if (result === undefined) return undefined;
  if ('exception' in result) return result.exception;
  return 'fault' in result ? result.text : undefined;
}
