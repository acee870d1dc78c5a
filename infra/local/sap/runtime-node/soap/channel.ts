/**
 * The settings of a channel with one of the two SOAP senders, and what these senders tell a flow of a message. What
 * they do with both is for `sender.ts` and `reliable-messaging.ts`.
 */

export type SoapVersion = '1.1' | '1.2';

/** Whose fault it is, or what was not understood; `fault.ts` has each version's name for it. */
export type FaultCode = 'client' | 'server' | 'version-mismatch' | 'must-understand';

/** Each default marked [assumed] is one that SAP's documentation leaves open. */
export interface SoapChannel {
  /**
   * SOAP 1.x alone: whether the sender gets a reply (200 with an envelope) or 202 without a body. Default
   * `request-reply`.
   */
  readonly messageExchangePattern?: 'request-reply' | 'one-way';
  /**
   * SOAP 1.x, one-way: `ws-standard` answers before the flow runs, so that its failure is seen in the log alone;
   * `robust` answers afterwards, a failure with a fault. Default `ws-standard`. SAP RM is always robust.
   */
  readonly processing?: 'ws-standard' | 'robust';
  /** HTTP status of a client fault (`soap:Client`, 1.2 `Sender`). Default 500, as for every other fault [assumed]. */
  readonly clientFaultStatus?: number;
  /**
   * SAP RM: `202` without a body, or `200` with an empty SOAP envelope, as PI's adapter has it. Default 202 [assumed].
   */
  readonly acknowledgement?: 200 | 202;
  /** Host of the tenant management node, part of the default fault's text. Default `tmn.example`. */
  readonly tmnHost?: string;
  /** What the WSDL at `?wsdl` describes. Default: `Send` of `urn:landscape:messages`, with `id` and `note`. */
  readonly operation?: SoapOperation;
}

/** A document/literal operation; the elements `<name>` and `<name>Response` have the fields as strings. */
export interface SoapOperation {
  readonly name: string;
  readonly namespace: string;
  readonly fields: readonly string[];
}

/** What was read of a SOAP message. */
export interface SoapMessage {
  readonly version: SoapVersion;
  /** The header `SOAPAction` without its quotes, with SOAP 1.2 the content type's parameter `action`. */
  readonly action: string | undefined;
  /** The content of the envelope's Body, exactly as it stood there. */
  readonly payload: string;
  /** SAP RM: as it was sent. */
  readonly qualityOfService?: string;
  /** SAP RM: as it was sent. */
  readonly queueId?: string;
}
