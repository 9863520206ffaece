export interface Plan {
  readonly description: string;
  readonly settings: readonly string[];
}
export const PLANS: Readonly<Record<string, Plan>>;
