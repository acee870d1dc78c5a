/** One line of what the doctor says: what was looked at, how it is, and who must act. */
import { harmless } from '../replay/terminal.ts';
import { type Actor, FINDINGS, type FindingId, type Group, RUNBOOK } from './findings.ts';

export interface Line {
  /** Of a finding; else the name of what was looked at. */
  readonly id: string;
  readonly group: Group;
  readonly result: 'ok' | 'warning' | 'error' | 'not-checked';
  /** Absent: of all. */
  readonly destination?: string;
  /** Of a cut-over. Absent: of both, or there is none. */
  readonly side?: 'old' | 'new';
  /** Of a finding. */
  readonly actor?: Actor;
  /** One line, without a secret or a token, and with nothing that a terminal would obey. */
  readonly reason: string;
  /** In the runbook; of a finding. */
  readonly anchor?: string;
  /** What shows more of it, to be copied. */
  readonly commands?: readonly string[];
  /** The doctor was kept from looking, by rights that it lacks or a service that does not answer. */
  readonly isHindered?: true;
}

/** What was looked at and is as it should be. */
export function fine(group: Group, id: string, reason: string): Line {
  return { id, group, result: 'ok', reason: harmless(reason) };
}

/** @param group where it was found, if that is not where it belongs: a host may be that of the endpoint */
export function finding(id: FindingId, reason: string, group?: Group): Line {
  const { result, actor, group: own } = FINDINGS[id];
  return { id, group: group ?? own, result, actor, reason: harmless(reason), anchor: `${RUNBOOK}#${id}` };
}

/** Nobody can look at it without doing harm, or there is nothing to look at. */
export function notChecked(group: Group, id: string, reason: string): Line {
  return { id, group, result: 'not-checked', reason: harmless(reason) };
}

/** It could be looked at, by somebody with the rights or the connection for it. */
export function hindered(group: Group, id: string, reason: string): Line {
  return { ...notChecked(group, id, reason), isHindered: true };
}

/** What it depends on failed. */
export function dependent(group: Group, id: string, why: string): Line {
  return notChecked(group, id, `not checked: ${why}`);
}
