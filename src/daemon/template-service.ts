/** What the method table needs of the template library. */
import type { TemplateChanged } from '#protocol/methods/event.ts';
import type {
  TemplateAdoptParams,
  TemplateAdoptResult,
  TemplateCheckParams,
  TemplateCheckResult,
  TemplateDetail,
  TemplateGetParams,
  TemplateMigrateParams,
  TemplateMigrateResult,
  TemplateRenderParams,
  TemplateRenderResult,
} from '#protocol/methods/template.ts';
import type { CallProgress } from '#protocol/notifications.ts';
import type { TemplateSummary } from '#protocol/views.ts';

export interface CheckOptions {
  readonly signal?: AbortSignal;
  /** Told before each file, and once all are done. */
  readonly report?: (value: CallProgress) => void;
}

/** Every question stops with its `signal` and then throws the reason of it. */
export interface TemplateService {
  list(): readonly TemplateSummary[];
  /** Throws TEMPLATE_NOT_FOUND, BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
  get(params: TemplateGetParams, signal?: AbortSignal): Promise<TemplateDetail>;
  /** Throws TEMPLATE_NOT_FOUND, PATH_NOT_ALLOWED, BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
  check(params: TemplateCheckParams, options?: CheckOptions): Promise<TemplateCheckResult>;
  /** Throws TEMPLATE_NOT_FOUND, TEMPLATE_NOT_RUNNABLE, PARAMETERS_INVALID, BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
  render(params: TemplateRenderParams, signal?: AbortSignal): Promise<TemplateRenderResult>;
  /** Throws PATH_NOT_ALLOWED, ASSET_NOT_FOUND, FILE_NOT_FOUND, BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
  adopt(params: TemplateAdoptParams, signal?: AbortSignal): Promise<TemplateAdoptResult>;
  /** Throws PATH_NOT_ALLOWED, FILE_NOT_FOUND, BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
  migrate(params: TemplateMigrateParams, signal?: AbortSignal): Promise<TemplateMigrateResult>;
  onChange(listener: (change: TemplateChanged) => void): () => void;
}
