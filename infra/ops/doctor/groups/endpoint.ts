/**
 * The flow's endpoint, as far as it shows itself without a message. OPTIONS runs no flow: Camel's servlet, which SAP's HTTPS
 * adapter is built on, answers it itself, CXF refuses it with 405, and both come after token and role were judged. HEAD and
 * GET may run a flow that is not protected against CSRF, so HEAD is for those that the settings say are.
 *
 * @see Apache Camel, `CamelServlet.doExecute`; Apache CXF, `ReadHeadersInterceptor`; SAP Help, "HTTPS Sender Adapter"
 */
import { RelayError } from '../../../../functions/error.ts';
import type { HttpAnswer, HttpRequest } from '../../../../functions/http/http.ts';
import { strictUrl } from '../../../../functions/relay/adapter/path.ts';
import { type Destination, endpoint } from '../../../../functions/settings/destination.ts';
import type { Credentials } from '../../../../functions/token/credentials.ts';
import type { Token } from '../../../../functions/token/token-endpoint.ts';
import { addressWarnings } from '../../../deploy/stack/address.ts';
import { dependent, finding, fine, type Line, notChecked } from '../line.ts';
import type { Looking } from '../looking.ts';
import { lookAtHost } from './host.ts';

/** Tomcat's default for a request's line and headers; a larger token does not pass there. */
export const EXPECTED_TOKEN_BYTES = 8_192;
/** Longest wait for an answer to which no flow runs. */
const TIMEOUT_MS = 10_000;

export interface Address {
  readonly lines: readonly Line[];
  readonly url?: URL;
}

/** Where the endpoint is, which the settings say, the service key, or both. */
export function lookAtAddress(destination: Destination, serviceUrl: string | undefined): Address {
  let url: URL;
  try {
    url = strictUrl(endpoint(destination, serviceUrl));
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    return { lines: [finding('endpoint-unknown', error.message)] };
  }
  const { path: _, ...rest } = destination;
  const lines = addressWarnings({ ...rest, url: url.href } as Destination).map((words) =>
    finding(words.includes('listens adapter') ? 'endpoint-adapter' : 'endpoint-host', words),
  );
  return { lines, url };
}

export async function lookAtEndpoint(
  destination: Destination,
  url: URL,
  token: Token,
  credentials: Credentials,
  looking: Looking,
): Promise<Line[]> {
  const host = await lookAtHost(url, 'endpoint', looking, token.certificate);
  if (host.result !== 'ok') return [host, dependent('endpoint', 'access', 'the host was not reached')];
  const answer = await ask(url, 'OPTIONS', token, looking);
  if (answer instanceof RelayError) {
    return [
      host,
      finding('endpoint-failing', answer.message),
      dependent('endpoint', 'csrf', 'the endpoint did not answer'),
    ];
  }
  const refused = refusal(answer, url, destination, credentials, token.accessToken.length);
  if (refused !== undefined) {
    return [host, refused, dependent('endpoint', 'csrf', `the endpoint answers ${answer.status}`)];
  }
  return [
    host,
    await access(answer, url, looking),
    ...methods(answer, destination),
    await csrf(destination, url, token, looking),
    allowedHeaders(destination),
  ];
}

/** @param token absent: as a stranger */
async function ask(
  url: URL,
  method: 'OPTIONS' | 'HEAD',
  token: Token | undefined,
  { send, signal }: Looking,
): Promise<HttpAnswer | RelayError> {
  const headers: Record<string, string> = method === 'HEAD' ? { 'X-CSRF-Token': 'Fetch' } : {};
  if (token !== undefined && token.accessToken !== '') headers.Authorization = `Bearer ${token.accessToken}`;
  const request: HttpRequest = { method, url, headers, timeoutMs: TIMEOUT_MS, signal };
  try {
    return await send(token?.certificate === undefined ? request : { ...request, certificate: token.certificate });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RelayError) return error;
    throw error;
  }
}

function refusal(
  { status, headers, body }: HttpAnswer,
  { pathname, host }: URL,
  { name }: Destination,
  { environment, clientId }: Credentials,
  tokenBytes: number,
): Line | undefined {
  const at = `${pathname} answers ${status}`;
  if (status === 401) return finding('token-rejected', `${at}: it does not take the token of ${clientId}`);
  if (status === 403) {
    if (String(headers['x-csrf-token']).toLowerCase() === 'required') return undefined;
    const where =
      environment === 'neo'
        ? `the user oauth_client_${clientId} has not`
        : 'the service instance has not, or not for an hour yet,';
    return finding('role-missing', `${at}: ${where} the role that the flow demands`);
  }
  if (status === 404) {
    const isRoute = headers['x-cf-routererror'] !== undefined || body.includes('Requested route');
    if (isRoute)
      return finding('route-missing', `no application has the host ${host}: it is not the runtime's, or no more`);
    return finding('flow-missing', `${at}: no flow is deployed at this address; capitals count`);
  }
  if (status >= 300 && status < 400) {
    return finding(
      'endpoint-redirects',
      `${at}, to another address, which the relay never follows: correct ${name}.url`,
    );
  }
  if ((status === 400 || status === 431) && tokenBytes > EXPECTED_TOKEN_BYTES) {
    return finding('endpoint-failing', `${at}: the token's ${tokenBytes} bytes are more than its container takes`);
  }
  const reached = (status >= 200 && status < 300) || status === 405 || status === 501;
  return reached
    ? undefined
    : finding('endpoint-failing', `${at} to OPTIONS, on which no flow runs: the node itself fails`);
}

/** Where a stranger is refused, whoever was not has shown a token and a role that count. */
async function access(answer: HttpAnswer, url: URL, looking: Looking): Promise<Line> {
  const stranger = await ask(url, 'OPTIONS', undefined, looking);
  const at = `${url.pathname} is reached`;
  if (stranger instanceof RelayError || ![401, 403].includes(stranger.status)) {
    const why = 'it answers OPTIONS to strangers, too, so token and role are not checked; --send would tell';
    return notChecked('endpoint', 'access', `${at}, but ${why}`);
  }
  return fine('endpoint', 'access', `${at}, token and role are accepted (OPTIONS ${answer.status})`);
}

function methods({ headers }: HttpAnswer, { method, name }: Destination): Line[] {
  const allowed = headers.allow?.split(',').map((one) => one.trim().toUpperCase()) ?? [];
  if (allowed.length === 0 || allowed.includes(method)) return [];
  return [finding('method-refused', `it takes ${allowed.join(', ')}, and ${name}.method is ${method}`)];
}

async function csrf(
  { adapter, csrf: isExpected, name }: Destination,
  url: URL,
  token: Token,
  looking: Looking,
): Promise<Line> {
  if (adapter === 'soap' || adapter === 'soap-rm') return fine('endpoint', 'csrf', 'SOAP senders demand no CSRF token');
  if (!isExpected) {
    const why = `a HEAD would run a flow that is not protected; the relay finds out at the first message, or set ${name}.csrf`;
    return notChecked('endpoint', 'csrf', `CSRF: not checked, ${why}`);
  }
  // An OData service gives it at its root, where reading runs no flow.
  const [root = url.pathname] = adapter === 'odata' ? (/^.*\/gw\/odata\/SAP\/[^/]+/.exec(url.pathname) ?? []) : [];
  const at = adapter === 'odata' ? new URL(`${root}/`, url) : url;
  const answer = await ask(at, 'HEAD', token, looking);
  const given = answer instanceof RelayError ? undefined : answer.headers['x-csrf-token'];
  if (typeof given === 'string' && !/^(required|fetch)?$/i.test(given)) {
    return fine('endpoint', 'csrf', 'a CSRF token is given when asked for');
  }
  const said = answer instanceof RelayError ? answer.message : `answers ${answer.status} and gives none`;
  return finding('csrf-not-offered', `${name}.csrf is true, but asked for a CSRF token the endpoint ${said}`);
}

/** Nobody outside of the flow sees which of them it lets through. */
function allowedHeaders({ idHeader, forwardHeaders, adapter }: Destination): Line {
  const wanted = [...(idHeader === undefined ? [] : [idHeader]), ...(adapter === 'https' ? forwardHeaders : [])];
  const names = wanted.length === 0 ? 'none' : wanted.join(', ');
  const why = 'not to be seen from outside; the flow drops what it does not list under Allowed Headers';
  return notChecked('endpoint', 'allowed-headers', `headers for the flow (${names}): ${why}`);
}
