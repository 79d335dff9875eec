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
import type { TemplateSummary } from '#protocol/views.ts';

export interface TemplateService {
  list(): readonly TemplateSummary[];
  /** Throws TEMPLATE_NOT_FOUND, BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
  get(params: TemplateGetParams): Promise<TemplateDetail>;
  /** Throws TEMPLATE_NOT_FOUND, PATH_NOT_ALLOWED, BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
  check(params: TemplateCheckParams): Promise<TemplateCheckResult>;
  /** Throws TEMPLATE_NOT_FOUND, TEMPLATE_NOT_RUNNABLE, PARAMETERS_INVALID, BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
  render(params: TemplateRenderParams): Promise<TemplateRenderResult>;
  /** Throws PATH_NOT_ALLOWED, ASSET_NOT_FOUND, FILE_NOT_FOUND, BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
  adopt(params: TemplateAdoptParams): Promise<TemplateAdoptResult>;
  /** Throws PATH_NOT_ALLOWED, FILE_NOT_FOUND, BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
  migrate(params: TemplateMigrateParams): Promise<TemplateMigrateResult>;
  onChange(listener: (change: TemplateChanged) => void): () => void;
}
