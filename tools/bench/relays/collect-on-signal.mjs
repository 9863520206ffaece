/**
 * Loaded before a relay for measurements of its memory: SIGUSR2 collects its garbage and frees pages. Needs --expose-gc.
 * Without arguments `gc` does a full, compacting collection. With the option "major", Node 20 frees almost nothing.
 * The second call frees the objects that finalizers released.
 */
process.on('SIGUSR2', () => {
  globalThis.gc();
  globalThis.gc();
});
