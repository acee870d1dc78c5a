/**
 * All that the doctor can find, by id. An id is for good: people search for it, the runbook has an anchor of that name, and
 * where an alarm tells of the same it bears the same id. Which alarms there are is for `infra/deploy/stack`.
 */

/** Who must act. */
export type Actor = 'settings' | 'aws' | 'sap-security' | 'flow-developer' | 'sender' | 'network';

/** In order of dependency. */
export const GROUPS = [
  'settings',
  'queue',
  'mapping',
  'secret',
  'certificate',
  'token',
  'endpoint',
  'message',
  'webhook',
  'cutover',
  'alarms',
] as const;
export type Group = (typeof GROUPS)[number];

interface Finding {
  readonly group: Group;
  /** `error`: messages do not get through, or will be lost. `warning`: they do, and somebody should still act. */
  readonly result: 'error' | 'warning';
  readonly actor: Actor;
}

const error = (group: Group, actor: Actor): Finding => ({ group, result: 'error', actor });
const warning = (group: Group, actor: Actor): Finding => ({ group, result: 'warning', actor });

export const FINDINGS = {
  'function-missing': error('settings', 'aws'),
  'function-not-active': error('settings', 'aws'),
  'settings-unreadable': error('settings', 'settings'),
  'settings-invalid': error('settings', 'settings'),

  'queue-missing': error('queue', 'aws'),
  'dead-letter-queue-missing': error('queue', 'aws'),
  'retention-short': warning('queue', 'aws'),
  'visibility-timeout': error('queue', 'aws'),
  'dead-letters': warning('queue', 'sender'),
  'letters-expire': error('queue', 'sender'),
  'in-flight': error('queue', 'aws'),

  'mapping-missing': error('mapping', 'aws'),
  'mapping-foreign': error('mapping', 'aws'),
  paused: warning('mapping', 'aws'),
  'mapping-changing': warning('mapping', 'aws'),
  'mapping-failing': error('mapping', 'aws'),
  'mapping-filter': error('mapping', 'aws'),
  'partial-replies': error('mapping', 'aws'),
  'batch-size': warning('mapping', 'aws'),
  'batch-window': warning('mapping', 'aws'),
  'maximum-concurrency': warning('mapping', 'aws'),
  'function-timeout': warning('mapping', 'aws'),
  'not-picked-up': error('mapping', 'aws'),

  'secret-missing': error('secret', 'aws'),
  'secret-deleted': error('secret', 'aws'),
  'secret-undecryptable': error('secret', 'aws'),
  'secret-malformed': error('secret', 'settings'),

  'certificate-expired': error('certificate', 'sap-security'),
  'credential-ends': warning('certificate', 'sap-security'),
  'credential-ends-soon': error('certificate', 'sap-security'),
  'certificate-purpose': error('certificate', 'sap-security'),
  'certificate-authority': warning('certificate', 'sap-security'),

  'host-not-found': error('token', 'network'),
  'host-not-reached': error('token', 'network'),
  'tls-not-trusted': error('token', 'network'),

  'certificate-refused': error('token', 'sap-security'),
  'token-refused': error('token', 'sap-security'),
  'token-url-wrong': error('token', 'settings'),
  'token-endpoint-failing': error('token', 'sap-security'),
  'token-binding': error('token', 'network'),
  'token-opaque': warning('token', 'sap-security'),
  'token-too-large': warning('token', 'sap-security'),
  'token-short-lived': warning('token', 'sap-security'),
  'token-scope': warning('token', 'sap-security'),
  'token-audience': warning('token', 'sap-security'),
  'clock-differs': warning('token', 'network'),

  'endpoint-unknown': error('endpoint', 'settings'),
  'endpoint-host': error('endpoint', 'settings'),
  'endpoint-adapter': warning('endpoint', 'settings'),
  'token-rejected': error('endpoint', 'sap-security'),
  'role-missing': error('endpoint', 'sap-security'),
  'flow-missing': error('endpoint', 'flow-developer'),
  'route-missing': error('endpoint', 'settings'),
  'endpoint-redirects': error('endpoint', 'settings'),
  'endpoint-failing': error('endpoint', 'flow-developer'),
  'method-refused': warning('endpoint', 'settings'),
  'csrf-not-offered': warning('endpoint', 'settings'),

  rejected: error('message', 'sender'),
  failing: error('message', 'flow-developer'),
  blocked: error('message', 'sap-security'),

  'webhook-function-missing': error('webhook', 'aws'),
  'webhook-secret-missing': error('webhook', 'aws'),
  'webhook-secret-malformed': error('webhook', 'settings'),
  'webhook-open': warning('webhook', 'settings'),
  'issuer-not-reached': error('webhook', 'sender'),

  'cutover-not-ready': error('cutover', 'sap-security'),
  'cutover-moved': warning('cutover', 'settings'),

  'alarms-missing': warning('alarms', 'aws'),
  'alarms-silent': error('alarms', 'aws'),
  // What only an alarm sees.
  'not-delivered': error('alarms', 'flow-developer'),
  'rejected-often': error('alarms', 'sender'),
  'sap-down': error('alarms', 'network'),
  'function-errors': error('alarms', 'aws'),
  'function-near-timeout': warning('alarms', 'aws'),
  throttled: warning('alarms', 'aws'),
  'nobody-polls': error('alarms', 'aws'),
  'webhook-5xx': error('alarms', 'aws'),
  'webhook-not-queued': error('alarms', 'aws'),
} as const satisfies Readonly<Record<string, Finding>>;

export type FindingId = keyof typeof FINDINGS;

/** Below the repository's root. */
export const RUNBOOK = 'infra/ops/runbook.md';
