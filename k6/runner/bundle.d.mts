export function scenarioNames(): string[];
export function bundleScenario(name: string, dist?: string): Promise<string>;
