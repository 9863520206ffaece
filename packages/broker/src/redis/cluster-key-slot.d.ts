/** The package has no types of its own. */
declare module 'cluster-key-slot' {
  /** The slot of a key or channel in a Redis Cluster, 0 to 16,383. */
  export default function slotOf(name: string): number;
}
