/**
 * What arrived, to be read with a browser or curl: the messages for which a flow of the runtime node ran, as SAP's
 * "Monitor Message Processing" lists them. Reads the runtime node and changes nothing.
 */
import type { Processed } from '../sap/runtime-node/integration-flow.ts';
import type { RuntimeNode } from '../sap/runtime-node/runtime-node.ts';
import { type Answer, type LocalServer, type Request, startServer } from '../server/server.ts';

/** `GET /` lists the messages, `GET /<message id>` gives the body of one, byte for byte. */
export async function startMonitor(
  runtimeNode: RuntimeNode,
  { port }: { readonly port: number },
): Promise<LocalServer> {
  const answer = ({ method, path }: Request): Answer => {
    if (method !== 'GET') return { status: 405, headers: { Allow: 'GET' } };
    if (path === '/') return plain(200, listOf(runtimeNode.messages));
    const id = decodeURIComponent(path.slice(1));
    const found = runtimeNode.messages.find(({ messageId }) => messageId === id);
    if (found === undefined) return plain(404, `no message ${id} has arrived\n`);
    const { 'content-type': type = 'application/octet-stream' } = found.headers;
    return { status: 200, headers: { 'Content-Type': type }, body: found.body };
  };
  return startServer(answer, { port });
}

function plain(status: number, body: string): Answer {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
}

function listOf(messages: readonly Processed[]): string {
  const rows = messages.map(({ at, flow, messageId, status, body, bodySha256, headers }) => {
    const time = new Date(at).toISOString().slice(11, 23);
    const type = headers['content-type'] ?? '';
    return `${time}  ${flow}  ${status}  ${messageId ?? '(no id)'}  ${body.byteLength} B  ${type}  sha256 ${bodySha256.slice(0, 16)}`;
  });
  return rows.length === 0 ? 'nothing has arrived yet\n' : `${rows.join('\n')}\n`;
}
