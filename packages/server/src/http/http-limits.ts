/** What one client, and all of them together, may ask of the HTTP server. `docs/reference/limits.md` shows them. */
export interface HttpLimits {
  /** Of a JSON body. */
  readonly bodyMaxBytes: number;
  /** Of a request's path and query. */
  readonly urlMaxBytes: number;
  /** Of a request's head: its first line and its headers. */
  readonly headMaxBytes: number;
  /** From a connection's first moment, or the first byte of its next request, until the head is there. */
  readonly headersTimeoutMs: number;
  /** The same until the whole request is there. */
  readonly requestTimeoutMs: number;
  /** How often the two are looked at: a connection may overstay by as much. */
  readonly checkEveryMs: number;
  /** How long a connection may stand idle between two requests. */
  readonly keepAliveMs: number;
  /** Further connections are closed as they come. */
  readonly connectionsMax: number;
  /** Requests that are not answered yet. Event streams are not among them. */
  readonly inFlightMax: number;
  /** Those of them that are to change something: while writes wait, there is room for reads. */
  readonly writesInFlightMax: number;
  /** Files that are being uploaded, and links that are being read: they last as long as their clients take. */
  readonly uploadsMax: number;
  readonly downloadsMax: number;
  /** An upload that takes longer than other requests may, may go on while its bytes come as fast as that. */
  readonly uploadBytesPerSecondMin: number;
  /** Writes that wait for a commit, those of the server itself among them. */
  readonly writesQueuedMax: number;
}

export const HTTP_LIMITS: HttpLimits = {
  bodyMaxBytes: 256 * 1024,
  urlMaxBytes: 8 * 1024,
  headMaxBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  checkEveryMs: 2_000,
  keepAliveMs: 72_000,
  connectionsMax: 5_000,
  inFlightMax: 2_000,
  writesInFlightMax: 1_000,
  uploadsMax: 200,
  downloadsMax: 500,
  uploadBytesPerSecondMin: 10 * 1024,
  writesQueuedMax: 4_000,
};
