/**
 * The sender adapters SOAP (SOAP 1.x) and SOAP (SAP RM): an envelope is read, the flow gets the content of its Body,
 * and the sender an envelope, 202 without a body, or a fault. Envelopes, faults and SAP RM's additions have files of
 * their own.
 */
import type { Answer } from '../../../server/server.ts';
import { tomcatPage } from '../../front.ts';
import type { Exchange, MessagePart } from '../exchange.ts';
import { mplIdHeader, mplIdText, returnedHeaders } from '../https-sender.ts';
import { failureOf, type Outcome, type Received } from '../message.ts';
import { methodNotAllowed } from '../runtime-answer.ts';
import type { SoapVersion } from './channel.ts';
import { type Charset, decode, encode } from './charset.ts';
import { type Envelope, EnvelopeError, envelopeAnswer, readEnvelope } from './envelope.ts';
import { type Fault, faultAnswer, internalErrorText } from './fault.ts';
import { messageIdBlock, readReliableMessage } from './reliable-messaging.ts';
import { type RootPart, readRootPart } from './root-part.ts';
import { wsdlAnswer } from './wsdl.ts';

/** `scheme` is that of the node's URL, for the addresses in its WSDL. */
export async function answerSoap(exchange: Exchange, scheme: string): Promise<Answer> {
  const { request, flow } = exchange;
  if (request.method === 'GET') {
    return request.query.has('wsdl')
      ? wsdlAnswer(flow, `${scheme}://${request.headers.host}`)
      : methodNotAllowed(['POST']);
  }
  const root = readRootPart(request);
  const { charset, version } = root;
  // CXF throws an IOException here, of which the container tells.
  if (charset === undefined) return tomcatPage(500, 'Internal Server Error');
  try {
    return inCharset(await answerEnvelope(exchange, envelopeOf(exchange, root, charset)), charset);
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error;
    const status = error.code === 'client' ? (flow.soap.clientFaultStatus ?? 500) : 500;
    return inCharset(faultAnswer(error.version ?? version, { code: error.code, text: error.message, status }), charset);
  }
}

/** 413, in an envelope [assumed]; the flow does not run, but the log has an entry. */
export function soapTooLarge({ request, flow, newMplId }: Exchange): Answer {
  const { charset = 'UTF-8', version } = readRootPart(request);
  const text = internalErrorText(newMplId(), flow.soap.tmnHost ?? defaultTmnHost);
  return inCharset(faultAnswer(version, { code: 'server', text, status: 413 }), charset);
}

const defaultTmnHost = 'tmn.example';

/** Throws an EnvelopeError. */
function envelopeOf({ request, flow }: Exchange, { bytes, version: takes }: RootPart, charset: Charset): Envelope {
  if (bytes === undefined) throw new EnvelopeError('server', "Couldn't find MIME boundary.");
  const source = decode(bytes, charset);
  if (source === undefined) throw new EnvelopeError('server', "Couldn't parse stream.");
  return readEnvelope(request, { source, takes, understood: flow.sender === 'soap-rm' ? [messageIdBlock] : [] });
}

/** An answer with an envelope, in a charset; any other as it is. */
function inCharset(answer: Answer, charset: Charset): Answer {
  const { headers = {}, body } = answer;
  if (typeof body !== 'string') return answer;
  const contentType = String(headers['Content-Type']).replace('UTF-8', charset);
  return { ...answer, headers: { ...headers, 'Content-Type': contentType }, body: encode(body, charset) };
}

function answerEnvelope(exchange: Exchange, envelope: Envelope): Promise<Answer> | Answer {
  const { request, flow, run, runAfter } = exchange;
  const { version } = envelope;
  if (flow.sender === 'soap-rm') {
    const { messageId, qualityOfService, queueId, headers } = readReliableMessage(request.query, envelope);
    const soap = {
      ...messageOf(envelope),
      ...(qualityOfService === undefined ? {} : { qualityOfService }),
      ...(queueId === undefined ? {} : { queueId }),
    };
    return run({ headers, messageId, soap }, (outcome, received) => oneWay(exchange, version, outcome, received));
  }
  const part: MessagePart = { soap: messageOf(envelope) };
  const { messageExchangePattern = 'request-reply', processing = 'ws-standard' } = flow.soap;
  if (messageExchangePattern === 'request-reply') {
    return run(part, (outcome, received) => reply(exchange, version, outcome, received));
  }
  return processing === 'ws-standard'
    ? runAfter(part, { status: 202 })
    : run(part, (outcome, received) => oneWay(exchange, version, outcome, received));
}

function messageOf({ version, action, payload }: Envelope) {
  return { version, action, payload };
}

/** The flow's result in an envelope; the status may be any, as of a called receiver whose 202 comes through. */
function reply({ flow }: Exchange, version: SoapVersion, { result }: Outcome, received: Received): Answer {
  const failure = failed(flow, version, { result, received });
  if (failure !== undefined) return failure;
  const { status, headers, body } = (result as Answer | undefined) ?? { status: 200 };
  const answer =
    body === undefined
      ? withoutContent(flow, version, status, received)
      : envelopeAnswer(version, status, Buffer.from(body).toString('utf8'));
  return { ...answer, headers: { ...returnedHeaders(flow, received), ...headers, ...answer.headers } };
}

/** An empty Body, or the log's id: in a fault, as any failure has it, or where none is, in an element [assumed]. */
function withoutContent(flow: Exchange['flow'], version: SoapVersion, status: number, received: Received): Answer {
  const text = mplIdText(flow, received, status);
  if (text === undefined) return envelopeAnswer(version, status, '');
  if (status < 400) return envelopeAnswer(version, status, `<mplId xmlns="urn:landscape:messages">${text}</mplId>`);
  const { tmnHost = defaultTmnHost } = flow.soap;
  return faultAnswer(version, { code: 'server', text: internalErrorText(received.mplId, tmnHost), status });
}

/** Robust: the flow has run, and only a failure is more than an acknowledgement. */
function oneWay({ flow }: Exchange, version: SoapVersion, { result }: Outcome, received: Received): Answer {
  const failure = failed(flow, version, { result, received });
  if (failure !== undefined) return failure;
  const { acknowledgement = 202 } = flow.soap;
  const empty = flow.sender === 'soap-rm' && acknowledgement === 200;
  const status = (result as Answer | undefined)?.status ?? 202;
  const acknowledged = status < 300 || flow.returnMplId !== 'body';
  const answer: Answer = empty
    ? envelopeAnswer(version, 200, '')
    : acknowledged
      ? { status }
      : withoutContent(flow, version, status, received);
  return { ...answer, headers: { ...returnedHeaders(flow, received), ...answer.headers } };
}

/**
 * A fault of the flow's own, or the generic one; an exception's text is never told (SAP: "Creating an Exception
 * Response for SOAP-Based Adapters").
 */
function failed(
  flow: Exchange['flow'],
  version: SoapVersion,
  { result, received }: { readonly result: Outcome['result']; readonly received: Received },
): Answer | undefined {
  if (failureOf(result) === undefined) return undefined;
  const answer = faultAnswer(version, faultOf(flow, result, received));
  return { ...answer, headers: { ...mplIdHeader(flow, received), ...answer.headers } };
}

function faultOf({ soap }: Exchange['flow'], result: Outcome['result'], { mplId }: Received): Fault {
  const { clientFaultStatus = 500, tmnHost = defaultTmnHost } = soap;
  if (result !== undefined && typeof result === 'object' && 'fault' in result) {
    const { fault: code, text, detail } = result;
    const status = code === 'client' ? clientFaultStatus : 500;
    return { code, text, status, ...(detail === undefined ? {} : { detail }) };
  }
  return { code: 'server', text: internalErrorText(mplId, tmnHost) };
}
