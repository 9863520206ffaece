/** The namespaces of one process. */
import { type NamespaceDirectory, type NamespacePublishing, UNCONFIGURED_NAMESPACE } from '../namespace-directory.js';

export class MemoryNamespaceDirectory implements NamespaceDirectory {
  #announced: ReadonlyMap<string, NamespacePublishing> = new Map();

  async announce(namespaces: ReadonlyMap<string, NamespacePublishing>): Promise<void> {
    this.#announced = new Map(namespaces);
  }

  async lookup(namespace: string): Promise<NamespacePublishing> {
    return this.#announced.get(namespace) ?? UNCONFIGURED_NAMESPACE;
  }

  async names(): Promise<readonly string[]> {
    return [...this.#announced.keys()].sort();
  }
}
