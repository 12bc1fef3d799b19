/** The pages, in the order of the navigation. Each is loaded when it is first opened. */

import { type ComponentType, lazy } from "react";

export interface PageEntry {
  path: string;
  title: string;
  component: ComponentType;
  /** Reached from other pages only. */
  hidden?: boolean;
  /** For those who may change something. */
  administrators?: boolean;
}

const StatusPage = lazy(() => import("../pages/status/StatusPage"));
const ConfigPage = lazy(() => import("../pages/config/ConfigPage"));
const EventsPage = lazy(() => import("../pages/events/EventsPage"));
const ActivityPage = lazy(() => import("../pages/activity/ActivityPage"));
const JobsPage = lazy(() => import("../pages/jobs/JobsPage"));
const JobPage = lazy(() => import("../pages/jobs/JobPage"));
const RescuesPage = lazy(() => import("../pages/rescues/RescuesPage"));
const UsersPage = lazy(() => import("../pages/users/UsersPage"));
const AccountPage = lazy(() => import("../pages/account/AccountPage"));
const AlertsPage = lazy(() => import("../pages/alerts/AlertsPage"));
const SystemPage = lazy(() => import("../pages/system/SystemPage"));

export const PAGES: PageEntry[] = [
  { path: "/", title: "Status", component: StatusPage },
  { path: "/config", title: "HA Configuration", component: ConfigPage },
  { path: "/events", title: "Events", component: EventsPage },
  { path: "/activity", title: "Activity", component: ActivityPage },
  { path: "/jobs", title: "Jobs", component: JobsPage },
  { path: "/jobs/:id", title: "Job", component: JobPage, hidden: true },
  { path: "/rescues", title: "Rescues", component: RescuesPage },
  { path: "/alerts", title: "Alerts", component: AlertsPage },
  { path: "/users", title: "Users and tokens", component: UsersPage, administrators: true },
  { path: "/account", title: "Your account", component: AccountPage, hidden: true },
  { path: "/system", title: "System", component: SystemPage },
];
