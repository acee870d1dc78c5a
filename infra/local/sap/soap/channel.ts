/**
 * The settings of a channel with one of the two SOAP senders, and what these senders tell a flow of a message. What they
 * do with both is for `sender.ts` and `reliable-messaging.ts`.
 */

export type SoapVersion = '1.1' | '1.2';

/** Each default marked [assumed] is one that SAP's documentation leaves open. */
export interface SoapChannel {
  /** SOAP 1.x alone: whether the sender gets a reply (200 with an envelope) or 202 without a body. Default `request-reply`. */
  readonly messageExchangePattern?: 'request-reply' | 'one-way';
  /**
   * SOAP 1.x, one-way: `ws-standard` answers before the flow runs, so that its failure is seen in the log alone; `robust`
   * answers afterwards, a failure with a fault. Default `ws-standard`. SAP RM is always robust.
   */
  readonly processing?: 'ws-standard' | 'robust';
  /** HTTP status of a client fault (`soap:Client`, 1.2 `Sender`). Default 500, as for every other fault [assumed]. */
  readonly clientFaultStatus?: number;
  /** SAP RM: `202` without a body, or `200` with an empty SOAP envelope, as PI's adapter has it. Default 202 [assumed]. */
  readonly acknowledgement?: 200 | 202;
  /** Host of the tenant management node, part of the default fault's text. Default `tmn.example`. */
  readonly tmnHost?: string;
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
