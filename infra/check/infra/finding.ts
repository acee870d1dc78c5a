/** What a tool found in a packaged template, and what of it is let pass. */

/** A stage's template in a file, as the framework deploys it; and what other tools deploy. */
export interface PackagedStage {
  readonly name: string;
  readonly path: string;
  /** Path of the plain template, of `npm run template`. */
  readonly template: string;
  /** Path of the zip beside it. */
  readonly zip: string;
  /** Logical ids. */
  readonly resources: readonly string[];
}

export interface Finding {
  readonly stage: string;
  /** As the tool names it, such as `W3005`. */
  readonly rule: string;
  /** Logical id. */
  readonly resource: string;
  readonly message: string;
}

export interface Suppression {
  readonly rule: string;
  /** Default: every stage. */
  readonly stages?: readonly string[];
  /** Logical ids; `*` stands for any characters. */
  readonly resources: readonly string[];
  /** Why the rule does not hold here. */
  readonly reason: string;
}

/**
 * @returns `found`: what no suppression lets pass; `unneeded`: suppressions with a stage or a resource that nothing was
 * found for, so that none outlives its reason
 */
export function judged(
  findings: readonly Finding[],
  suppressions: readonly Suppression[],
  stages: readonly string[],
): { readonly found: readonly Finding[]; readonly unneeded: readonly string[] } {
  const found = findings.filter((finding) => !suppressions.some((suppression) => covers(suppression, finding)));
  const unneeded = suppressions.flatMap((suppression) =>
    (suppression.stages ?? stages).flatMap((stage) =>
      suppression.resources
        .filter(
          (pattern) =>
            !findings.some((finding) => covers({ ...suppression, stages: [stage], resources: [pattern] }, finding)),
        )
        .map((pattern) => `${suppression.rule} of ${pattern} in ${stage}`),
    ),
  );
  return { found, unneeded };
}

function covers({ rule, stages, resources }: Suppression, finding: Finding): boolean {
  return (
    rule === finding.rule &&
    (stages?.includes(finding.stage) ?? true) &&
    resources.some((pattern) => matches(pattern, finding.resource))
  );
}

function matches(pattern: string, id: string): boolean {
  const [start = '', ...rest] = pattern.split('*');
  return rest.length === 0 ? id === pattern : id.startsWith(start) && id.endsWith(rest.at(-1) ?? '');
}
