/** Webhooks: client events and lifecycle events as signed HTTP requests to back ends. */
export { startWebhooks, type WebhookOptions, type Webhooks } from './start-webhooks.js';
export { definedWebhooks, type WebhookDefinition } from './webhook-definitions.js';
