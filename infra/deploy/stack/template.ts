/** The few words of CloudFormation that the stack is written in. What resources there are is for the files beside this one. */

/** A value that is known only when the stack is deployed. */
export type Intrinsic =
  | { readonly Ref: string }
  | { readonly 'Fn::GetAtt': readonly [logicalId: string, attribute: string] }
  | { readonly 'Fn::Join': readonly [delimiter: string, parts: readonly (string | Intrinsic)[]] };

export type Value = string | Intrinsic;

export interface Resource {
  readonly Type: string;
  /** What must be there before, where no reference in the properties says so. */
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: 'RetainExceptOnCreate';
  readonly UpdateReplacePolicy?: 'Retain';
  readonly Properties: Readonly<Record<string, unknown>>;
}

export const ref = (logicalId: string): Intrinsic => ({ Ref: logicalId });
export const attribute = (logicalId: string, name: string): Intrinsic => ({ 'Fn::GetAtt': [logicalId, name] });

/**
 * Texts and intrinsics in a row. Not `Fn::Sub`: a `${` in an operator's value is then nothing special to CloudFormation,
 * and cut in two it is nothing to the framework either, which looks for its variables in every string it is handed.
 */
export function join(...parts: readonly Value[]): Value {
  const pieces: Value[] = [];
  for (const part of parts.flatMap((value): Value[] =>
    typeof value === 'string' ? value.split(/(?<=\$)(?=\{)/) : [value],
  )) {
    const last = pieces.at(-1);
    const adjacent =
      typeof last === 'string' && typeof part === 'string' && !(last.endsWith('$') && part.startsWith('{'));
    if (adjacent) pieces[pieces.length - 1] = `${last}${part}`;
    else pieces.push(part);
  }
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : { 'Fn::Join': ['', pieces] };
}

/** ARN in this stack's own partition, region and account; `inRegion: false` for services whose ARNs name neither. */
export function arn(service: string, resource: string, { inRegion = true } = {}): Value {
  const place = inRegion ? [':', ref('AWS::Region'), ':', ref('AWS::AccountId'), ':'] : [':::'];
  return join('arn:', ref('AWS::Partition'), `:${service}`, ...place, resource);
}
