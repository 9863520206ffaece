/**
 * Loaded before a relay whose memory is measured: SIGUSR2 collects its garbage and gives free pages back. Needs --expose-gc.
 * Without arguments it is a full collection that moves what lives together; asked for a "major" one with options, Node 20 does next to
 * nothing (2 ms, and not a page comes back). Twice, because what finalizers let go is free only then.
 */
process.on('SIGUSR2', () => {
  globalThis.gc();
  globalThis.gc();
});
