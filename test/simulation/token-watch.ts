/**
 * Watches tokens on the wire: one request at a time for one credential in one environment, no token minted without
 * need, none sent again that was rejected, none kept beside a newer version of the secret, one asked for in ten seconds
 * because of 401s; and that the secret is read again where nobody answers.
 */
import type { Call } from './aws-client.ts';
import type { Invocation } from './lambda.ts';
import type { Ledger } from './ledger.ts';
import type { Exchange } from './network.ts';

export interface TokenWatchOptions {
  readonly ledger: Ledger;
  readonly now: () => number;
  /** In seconds, by client. */
  readonly maxUseSeconds: (client: string) => number;
}

export interface TokenWatch {
  request(exchange: Exchange): void;
  answered(exchange: Exchange): void;
  /** A call of an endpoint, a fetch of a CSRF token included. */
  used(exchange: Exchange): void;
  judged(exchange: Exchange): void;
  secretRead(call: Call): void;
  /** Whatever came of it. */
  secretAsked(call: Call): void;
}

/** A token as one environment got it. */
interface Minted {
  readonly token: string;
  readonly at: number;
  /** How long it may be used, in milliseconds. */
  readonly lifeMs: number;
  /** The newest version of the secret that the environment had read by then. */
  readonly versionId: string | undefined;
  /** Why the next one may be asked for before it is half used up. */
  isDoubtful: boolean;
  /** A 401 is all that is known against it. */
  isRejected: boolean;
}

interface Slot {
  readonly client: string;
  open: number;
  minted: Minted | undefined;
  requestedAt: number;
  /** When one was last asked for because of a 401. */
  replacedAt: number;
  /** Since when nobody has answered, the secret not read since. */
  unansweredSince: number | undefined;
}

/** At least so far apart are the tokens that 401s cause to be asked for, in milliseconds. */
const REPLACEMENT_PAUSE_MS = 10_000;
/**
 * Where nobody answers the secret is read at least this often, the tries that are under way included, in milliseconds.
 */
const READ_WITHIN_MS = 600_000;

/** Of its life, the earliest that a token is renewed ahead. */
const RENEWAL_SHARE = 0.45;

export function createTokenWatch({ ledger, now, maxUseSeconds }: TokenWatchOptions): TokenWatch {
  const slots = new Map<string, Slot>();
  /** More than one where the very same token is given for two kinds of request. */
  const slotsOfToken = new Map<string, Set<Slot>>();
  /** By environment and endpoint: tokens that were rejected, and when. */
  const rejected = new Map<string, Map<string, number>>();
  /** By environment and secret: when which version was first read. */
  const versions = new Map<string, { id: string; at: number }>();

  function slotOf(exchange: Exchange): { slot: Slot; client: string } {
    const { client, format } = asked(exchange);
    const key = `${exchange.caller.environment} ${client} ${format}`;
    const slot = slots.get(key) ?? newSlot(client);
    slots.set(key, slot);
    return { slot, client };
  }

  function versionOf({ caller: { environment } }: Exchange, client: string) {
    return versions.get(`${environment} cpi/${client}`);
  }

  /** It was requested with an older version of the secret, and no other has been asked for since. */
  function isKept({ client, minted, requestedAt }: Slot, exchange: Exchange, token: string, begunAt: number): boolean {
    const newer = versionOf(exchange, client);
    if (minted?.token !== token || newer === undefined || minted.versionId === newer.id) return false;
    return requestedAt < newer.at && begunAt > newer.at;
  }

  /** This very message has been refused so in this attempt. */
  function isRejectedFor({ invocation, headers, body, number }: Exchange, token: string): boolean {
    const message = ledger.find(headers.sap_applicationid, body);
    const calls = message && invocation && ledger.books(invocation).calls.get(message);
    return (calls ?? []).some(
      (one) => one.number !== number && one.end === 'whole' && one.status === 401 && bearer(one) === token,
    );
  }

  /** By any endpoint: one that comes again is of no use to that. */
  function wasRejected({ caller: { environment } }: Exchange, token: string): boolean {
    return [...rejected].some(([key, tokens]) => key.startsWith(`${environment} `) && tokens.has(token));
  }

  /** Nothing but a 401 makes it be replaced: neither its age nor its scopes nor a newer version of the secret. */
  function isReplacedForRejection({ client, minted }: Slot, exchange: Exchange): boolean {
    if (minted === undefined || !minted.isRejected) return false;
    const isOld = now() - minted.at >= RENEWAL_SHARE * minted.lifeMs;
    return !isOld && minted.versionId === versionOf(exchange, client)?.id;
  }

  return {
    request(exchange) {
      const { slot, client } = slotOf(exchange);
      const { environment } = exchange.caller;
      if (isReplacedForRejection(slot, exchange)) {
        if (now() - slot.replacedAt < REPLACEMENT_PAUSE_MS)
          ledger.violate('one token request in ten seconds for 401s', `${environment} for ${client}`);
        slot.replacedAt = now();
      }
      // Whatever comes of it, what follows is for want of a token.
      if (slot.minted !== undefined) slot.minted.isRejected = false;
      if (slot.unansweredSince !== undefined && now() - slot.unansweredSince > READ_WITHIN_MS)
        ledger.violate('the secret is read again where nobody answers', `${environment} for ${client}`);
      if (slot.open > 0)
        ledger.violate(
          'one token request at a time',
          `${exchange.caller.environment} asks twice at once for ${client}`,
        );
      slot.open += 1;
      slot.requestedAt = now();
      ledger.count('tokens', 'requests');
    },
    answered(exchange) {
      const { slot, client } = slotOf(exchange);
      slot.open -= 1;
      if (exchange.end === 'whole') slot.unansweredSince = undefined;
      else slot.unansweredSince ??= now();
      const token = exchange.end === 'whole' && exchange.status === 200 ? tokenIn(exchange) : undefined;
      if (token === undefined) return;
      ledger.count('tokens', 'minted');
      const { minted } = slot;
      if (minted !== undefined && !minted.isDoubtful && slot.requestedAt - minted.at < RENEWAL_SHARE * minted.lifeMs) {
        const words = `${exchange.caller.environment} gets another for ${client} after ${slot.requestedAt - minted.at} ms of ${minted.lifeMs}`;
        ledger.violate('no token without need', words);
      }
      const lifeMs = Math.min(remainingMs(exchange, token), maxUseSeconds(client) * 1_000);
      slot.minted = {
        token,
        at: now(),
        lifeMs,
        versionId: versionOf(exchange, client)?.id,
        isDoubtful: wasRejected(exchange, token),
        isRejected: false,
      };
      const key = `${exchange.caller.environment} ${token}`;
      slotsOfToken.set(key, (slotsOfToken.get(key) ?? new Set()).add(slot));
    },
    used(exchange) {
      const token = bearer(exchange);
      const { environment } = exchange.caller;
      const at = rejected.get(`${environment} ${endpointOf(exchange)}`)?.get(token);
      const { startedAt: begunAt = 0 } = (exchange.invocation ?? {}) as Partial<Invocation>;
      // An attempt that is under way with it, perhaps at its CSRF handshake, may find out for itself.
      if (at !== undefined && (at < begunAt || isRejectedFor(exchange, token)))
        ledger.violate('a rejected token is not sent again', `${environment} to ${endpointOf(exchange)}`);
      const slots = [...(slotsOfToken.get(`${environment} ${token}`) ?? [])];
      if (slots.length > 0 && slots.every((slot) => isKept(slot, exchange, token, begunAt)))
        ledger.violate('no token is kept beside a newer secret', `${environment} to ${endpointOf(exchange)}`);
    },
    judged(exchange) {
      const { environment } = exchange.caller;
      // What a flow answers says nothing of the token that let the message in.
      if (exchange.end !== 'whole' || exchange.ran) return;
      const token = bearer(exchange);
      const isDoubted = exchange.status === 401 || exchange.status === 403 || exchange.status === 500;
      for (const slot of slotsOfToken.get(`${environment} ${token}`) ?? []) {
        if (!isDoubted || slot.minted?.token !== token) continue;
        slot.minted.isRejected = exchange.status === 401 && (slot.minted.isRejected || !slot.minted.isDoubtful);
        slot.minted.isDoubtful = true;
      }
      if (exchange.status !== 401) return;
      const key = `${environment} ${endpointOf(exchange)}`;
      const tokens = rejected.get(key) ?? new Map<string, number>();
      tokens.set(token, now());
      rejected.set(key, tokens);
    },
    secretAsked({ caller: { environment }, input }) {
      const client = String(input.SecretId).replace('cpi/', '');
      for (const [name, slot] of slots)
        if (name.startsWith(`${environment} ${client} `)) slot.unansweredSince = undefined;
    },
    secretRead({ caller: { environment }, input, output }) {
      const id = String(output?.VersionId);
      const key = `${environment} ${input.SecretId}`;
      const known = versions.get(key);
      // What cannot be used takes no place.
      const isUsable =
        String(output?.SecretString).includes('tokenurl') || String(output?.SecretString).includes('tokenUrl');
      if (known?.id === id || input.VersionStage === 'AWSPREVIOUS' || !isUsable) return;
      versions.set(key, { id, at: now() });
      if (known === undefined) return;
      for (const [name, slot] of slots) {
        if (name.startsWith(`${environment} ${String(input.SecretId).replace('cpi/', '')} `) && slot.minted)
          slot.minted.isDoubtful = true;
      }
    },
  };
}

function newSlot(client: string): Slot {
  const never = Number.NEGATIVE_INFINITY;
  return { client, open: 0, minted: undefined, requestedAt: never, replacedAt: never, unansweredSince: undefined };
}

function bearer({ headers }: Exchange): string {
  return (headers.authorization ?? '').replace('Bearer ', '');
}

function endpointOf({ host, path }: Exchange): string {
  return `${host}${path}`;
}

/** Who asks for what kind of token: a form, or on Neo the query and the Basic header. */
function asked({ path, headers, body }: Exchange): { client: string; format: string } {
  const form = new URLSearchParams(Buffer.from(body).toString());
  const query = new URLSearchParams(path.split('?')[1] ?? '');
  const basic = Buffer.from((headers.authorization ?? '').replace('Basic ', ''), 'base64').toString();
  const client = form.get('client_id') ?? basic.split(':')[0] ?? '';
  return { client, format: form.get('token_format') ?? query.get('token_format') ?? 'opaque' };
}

function tokenIn({ handled }: Exchange): string | undefined {
  const body = String(handled?.body ?? '');
  return /"access_token":"([^"]+)"/.exec(body)?.[1];
}

/** By the issuer's own clock: the smaller of `exp` and a positive `expires_in`; an hour where neither is there. */
function remainingMs({ handled }: Exchange, token: string): number {
  const body = String(handled?.body ?? '');
  const expiresIn = Number(/"expires_in":(\d+)/.exec(body)?.[1] ?? 0) * 1_000 || Number.POSITIVE_INFINITY;
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  const exp = Number(/"exp":(\d+)/.exec(claims)?.[1] ?? 0) * 1_000;
  const byClaim = exp === 0 ? Number.POSITIVE_INFINITY : exp - Date.parse(String(handled?.headers?.Date));
  const told = Math.min(byClaim, expiresIn);
  return Number.isFinite(told) ? told : 3_600_000;
}
