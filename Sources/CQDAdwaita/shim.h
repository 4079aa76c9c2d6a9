#pragma once

// GTK 4 and libadwaita with every widget as GtkWidget *, because Swift does not see C's casts, and
// without variadic calls. Strings that are returned belong to the widget.
#include <adwaita.h>
#include <glib-unix.h>
#include <libintl.h>
#include <locale.h>
#include <math.h>

// Signals, timers and descriptors. `done` frees `data` with the connection.

typedef void (*ui_callback)(gpointer sender, gpointer data);

static inline gulong ui_connect(
    gpointer object, const char *signal, ui_callback callback, gpointer data,
    void (*done)(gpointer)) {
  return g_signal_connect_data(
      object, signal, G_CALLBACK(callback), data, (GClosureNotify)done, G_CONNECT_DEFAULT);
}

/// A signal whose handler gets one argument besides, which is left out.
typedef void (*ui_notify_callback)(gpointer sender, gpointer argument, gpointer data);

static inline gulong ui_connect_notify(
    gpointer object, const char *signal, ui_notify_callback callback, gpointer data,
    void (*done)(gpointer)) {
  return g_signal_connect_data(
      object, signal, G_CALLBACK(callback), data, (GClosureNotify)done, G_CONNECT_DEFAULT);
}

/// Calls `callback` whenever the descriptor can be read. It may not run the main loop. GLib thinks it
/// might, else it would stop polling the descriptor during each call, and wake itself up for that twice.
static inline guint ui_watch(
    int descriptor, GUnixFDSourceFunc callback, gpointer data, GDestroyNotify done) {
  GSource *source = g_unix_fd_source_new(descriptor, (GIOCondition)(G_IO_IN | G_IO_HUP));
  g_source_set_callback(source, (GSourceFunc)(void (*)(void))callback, data, done);
  g_source_set_can_recurse(source, TRUE);
  guint identifier = g_source_attach(source, NULL);
  g_source_unref(source);
  return identifier;
}

static inline void ui_block(gpointer object, gulong handler) {
  g_signal_handler_block(object, handler);
}
static inline void ui_unblock(gpointer object, gulong handler) {
  g_signal_handler_unblock(object, handler);
}

// The application.

static inline AdwApplication *ui_application(const char *identifier) {
  return adw_application_new(identifier, (GApplicationFlags)0);
}
static inline int ui_application_run(AdwApplication *application) {
  return g_application_run(G_APPLICATION(application), 0, NULL);
}
/// A session bus that ends is no reason to end with it; GIO thinks so anew whenever anybody asks for
/// the bus.
static inline void ui_outlive_bus(AdwApplication *application) {
  GDBusConnection *bus = g_application_get_dbus_connection(G_APPLICATION(application));
  if (bus) g_dbus_connection_set_exit_on_close(bus, FALSE);
}
static inline gboolean ui_application_register(AdwApplication *application, GError **error) {
  return g_application_register(G_APPLICATION(application), NULL, error);
}
static inline void ui_application_quit(AdwApplication *application) {
  g_application_quit(G_APPLICATION(application));
}
static inline GtkWidget *ui_application_window(AdwApplication *application) {
  return (GtkWidget *)gtk_application_get_active_window(GTK_APPLICATION(application));
}
static inline GtkWidget *ui_window(AdwApplication *application) {
  return adw_application_window_new(GTK_APPLICATION(application));
}
static inline void ui_window_set_content(GtkWidget *window, GtkWidget *content) {
  adw_application_window_set_content(ADW_APPLICATION_WINDOW(window), content);
}
static inline void ui_window_set_title(GtkWidget *window, const char *title) {
  gtk_window_set_title(GTK_WINDOW(window), title);
}
static inline void ui_window_set_size(GtkWidget *window, int width, int height) {
  gtk_window_set_default_size(GTK_WINDOW(window), width, height);
}
static inline void ui_window_present(GtkWidget *window) {
  gtk_window_present(GTK_WINDOW(window));
}
static inline void ui_window_close(GtkWidget *window) {
  gtk_window_close(GTK_WINDOW(window));
}
static inline gboolean ui_window_is_seen(GtkWidget *window) {
  GdkSurface *surface = gtk_native_get_surface(GTK_NATIVE(window));
  if (!surface || !gtk_widget_get_mapped(window)) return FALSE;
  GdkToplevelState state = gdk_toplevel_get_state(GDK_TOPLEVEL(surface));
#if GTK_CHECK_VERSION(4, 12, 0)
  if (state & GDK_TOPLEVEL_STATE_SUSPENDED) return FALSE;
#endif
  return !(state & GDK_TOPLEVEL_STATE_MINIMIZED);
}
/// The object that tells of "notify::state".
static inline gpointer ui_window_surface(GtkWidget *window) {
  return gtk_native_get_surface(GTK_NATIVE(window));
}
static inline void ui_set_dark(int dark) {
  adw_style_manager_set_color_scheme(
      adw_style_manager_get_default(),
      dark > 0 ? ADW_COLOR_SCHEME_FORCE_DARK
               : dark < 0 ? ADW_COLOR_SCHEME_FORCE_LIGHT : ADW_COLOR_SCHEME_DEFAULT);
}
static inline void ui_style(const char *css) {
  GtkCssProvider *provider = gtk_css_provider_new();
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  gtk_css_provider_load_from_data(provider, css, -1);
  G_GNUC_END_IGNORE_DEPRECATIONS
  gtk_style_context_add_provider_for_display(
      gdk_display_get_default(), GTK_STYLE_PROVIDER(provider),
      GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  g_object_unref(provider);
}
static inline void ui_set_icon_name(const char *name) {
  gtk_window_set_default_icon_name(name);
}
static inline void ui_add_icons(const char *folder) {
  gtk_icon_theme_add_search_path(
      gtk_icon_theme_get_for_display(gdk_display_get_default()), folder);
}

// An action with a key; `callback` gets the action.

static inline void ui_application_action(
    AdwApplication *application, const char *name, const char *key, ui_notify_callback callback,
    gpointer data) {
  GSimpleAction *action = g_simple_action_new(name, NULL);
  g_signal_connect(action, "activate", G_CALLBACK(callback), data);
  g_action_map_add_action(G_ACTION_MAP(application), G_ACTION(action));
  g_object_unref(action);
  char *detailed = g_strconcat("app.", name, NULL);
  const char *keys[] = {key, NULL};
  if (key) gtk_application_set_accels_for_action(GTK_APPLICATION(application), detailed, keys);
  g_free(detailed);
}

// All widgets.

static inline GtkWidget *ui_parent_window(GtkWidget *widget) {
  return gtk_widget_get_ancestor(widget, GTK_TYPE_WINDOW);
}
/// What labels it, as a row does its control and in GTK 4.18 a button's text the button, would go before
/// its name.
static inline void ui_set_name(GtkWidget *widget, const char *name) {
  gtk_accessible_reset_relation(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_RELATION_LABELLED_BY);
  gtk_accessible_update_property(
      GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}
static inline void ui_set_explanation(GtkWidget *widget, const char *text) {
  gtk_accessible_update_property(
      GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, -1);
}
static inline void ui_set_value_text(GtkWidget *widget, const char *text) {
  gtk_accessible_update_property(
      GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, text, -1);
}
static inline void ui_set_labelled_by(GtkWidget *widget, GtkWidget *label) {
  gtk_accessible_update_relation(
      GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_RELATION_LABELLED_BY, label, NULL, -1);
}
static inline void ui_set_margins(GtkWidget *widget, int sides, int ends) {
  gtk_widget_set_margin_start(widget, sides);
  gtk_widget_set_margin_end(widget, sides);
  gtk_widget_set_margin_top(widget, ends);
  gtk_widget_set_margin_bottom(widget, ends);
}

// Boxes and frames.

static inline GtkWidget *ui_box(gboolean vertical, int spacing) {
  return gtk_box_new(vertical ? GTK_ORIENTATION_VERTICAL : GTK_ORIENTATION_HORIZONTAL, spacing);
}
static inline void ui_box_append(GtkWidget *box, GtkWidget *child) {
  gtk_box_append(GTK_BOX(box), child);
}
static inline void ui_box_remove(GtkWidget *box, GtkWidget *child) {
  gtk_box_remove(GTK_BOX(box), child);
}
static inline void ui_box_set_homogeneous(GtkWidget *box, gboolean homogeneous) {
  gtk_box_set_homogeneous(GTK_BOX(box), homogeneous);
}
static inline GtkWidget *ui_clamp(GtkWidget *child, int width) {
  GtkWidget *clamp = adw_clamp_new();
  adw_clamp_set_maximum_size(ADW_CLAMP(clamp), width);
  adw_clamp_set_tightening_threshold(ADW_CLAMP(clamp), width);
  adw_clamp_set_child(ADW_CLAMP(clamp), child);
  return clamp;
}
static inline GtkWidget *ui_scrolled(GtkWidget *child) {
  GtkWidget *scrolled = gtk_scrolled_window_new();
  gtk_scrolled_window_set_policy(
      GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), child);
  gtk_widget_set_vexpand(scrolled, TRUE);
  return scrolled;
}
static inline GtkWidget *ui_overlay(GtkWidget *child) {
  GtkWidget *overlay = gtk_overlay_new();
  gtk_overlay_set_child(GTK_OVERLAY(overlay), child);
  return overlay;
}
static inline void ui_overlay_add(GtkWidget *overlay, GtkWidget *child) {
  gtk_overlay_add_overlay(GTK_OVERLAY(overlay), child);
}
static inline GtkWidget *ui_revealer(GtkWidget *child) {
  GtkWidget *revealer = gtk_revealer_new();
  gtk_revealer_set_child(GTK_REVEALER(revealer), child);
  return revealer;
}
static inline void ui_revealer_set(GtkWidget *revealer, gboolean shown) {
  gtk_revealer_set_reveal_child(GTK_REVEALER(revealer), shown);
}

// Texts and pictures.

static inline GtkWidget *ui_label(const char *text) {
  GtkWidget *label = gtk_label_new(text);
  gtk_label_set_xalign(GTK_LABEL(label), 0);
  gtk_label_set_wrap(GTK_LABEL(label), TRUE);
  gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
  return label;
}
static inline void ui_label_set(GtkWidget *label, const char *text) {
  if (g_strcmp0(gtk_label_get_text(GTK_LABEL(label)), text) != 0)
    gtk_label_set_text(GTK_LABEL(label), text);
}
static inline void ui_label_set_centred(GtkWidget *label) {
  gtk_label_set_xalign(GTK_LABEL(label), 0.5f);
  gtk_label_set_justify(GTK_LABEL(label), GTK_JUSTIFY_CENTER);
}
static inline void ui_label_set_width(GtkWidget *label, int letters) {
  gtk_label_set_width_chars(GTK_LABEL(label), letters);
  gtk_label_set_wrap(GTK_LABEL(label), FALSE);
}
static inline void ui_label_set_xalign(GtkWidget *label, float share) {
  gtk_label_set_xalign(GTK_LABEL(label), share);
}
/// A line with room for so many letters, at the end of it: another text moves nothing around it.
static inline GtkWidget *ui_figure(unsigned letters) {
  GtkWidget *figure = gtk_inscription_new(NULL);
  gtk_inscription_set_min_chars(GTK_INSCRIPTION(figure), letters);
  // GTK does not mirror a line that is written from left to right, as numbers are.
  gtk_inscription_set_xalign(
      GTK_INSCRIPTION(figure), gtk_widget_get_default_direction() == GTK_TEXT_DIR_RTL ? 0 : 1);
  return figure;
}
static inline void ui_figure_set(GtkWidget *figure, const char *text) {
  if (g_strcmp0(gtk_inscription_get_text(GTK_INSCRIPTION(figure)), text) != 0)
    gtk_inscription_set_text(GTK_INSCRIPTION(figure), text);
}
static inline GtkWidget *ui_icon(const char *name) {
  return gtk_image_new_from_icon_name(name);
}
static inline void ui_icon_set(GtkWidget *icon, const char *name) {
  gtk_image_set_from_icon_name(GTK_IMAGE(icon), name);
}

// Buttons, switches, scales.

static inline GtkWidget *ui_button(const char *label) {
  return gtk_button_new_with_label(label);
}
static inline void ui_button_set_label(GtkWidget *button, const char *label) {
  gtk_button_set_label(GTK_BUTTON(button), label);
}
static inline GtkWidget *ui_icon_button(const char *icon) {
  return gtk_button_new_from_icon_name(icon);
}
static inline GtkWidget *ui_toggle(const char *label) {
  return gtk_toggle_button_new_with_label(label);
}
static inline void ui_toggle_join(GtkWidget *toggle, GtkWidget *other) {
  gtk_toggle_button_set_group(GTK_TOGGLE_BUTTON(toggle), GTK_TOGGLE_BUTTON(other));
}
static inline gboolean ui_toggle_get(GtkWidget *toggle) {
  return gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(toggle));
}
static inline void ui_toggle_set(GtkWidget *toggle, gboolean active) {
  gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(toggle), active);
}
static inline GtkWidget *ui_switch(void) {
  GtkWidget *widget = gtk_switch_new();
  gtk_widget_set_valign(widget, GTK_ALIGN_CENTER);
  return widget;
}
static inline gboolean ui_switch_get(GtkWidget *widget) {
  return gtk_switch_get_active(GTK_SWITCH(widget));
}
static inline void ui_switch_set(GtkWidget *widget, gboolean active) {
  gtk_switch_set_active(GTK_SWITCH(widget), active);
}
static inline GtkWidget *ui_scale(double least, double most, double step) {
  GtkWidget *scale = gtk_scale_new_with_range(GTK_ORIENTATION_HORIZONTAL, least, most, step);
  gtk_scale_set_draw_value(GTK_SCALE(scale), FALSE);
  return scale;
}
static inline void ui_scale_mark(GtkWidget *scale, double value, const char *text) {
  gtk_scale_add_mark(GTK_SCALE(scale), value, GTK_POS_BOTTOM, text);
}
static inline double ui_scale_get(GtkWidget *scale) {
  return gtk_range_get_value(GTK_RANGE(scale));
}
static inline void ui_scale_set(GtkWidget *scale, double value) {
  gtk_range_set_value(GTK_RANGE(scale), value);
}
static inline GtkWidget *ui_progress(void) { return gtk_progress_bar_new(); }
static inline void ui_progress_set(GtkWidget *progress, double share) {
  gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(progress), share);
}
static inline GtkWidget *ui_menu_button(const char *icon) {
  GtkWidget *button = gtk_menu_button_new();
  gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(button), icon);
  gtk_menu_button_set_primary(GTK_MENU_BUTTON(button), TRUE);
  return button;
}
static inline GMenu *ui_menu(void) { return g_menu_new(); }
static inline void ui_menu_add(GMenu *menu, const char *label, const char *action) {
  g_menu_append(menu, label, action);
}
static inline void ui_menu_button_set(GtkWidget *button, GMenu *menu) {
  gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), G_MENU_MODEL(menu));
}

// Libadwaita's rows and pages.

static inline GtkWidget *ui_group(const char *title, const char *description) {
  GtkWidget *group = adw_preferences_group_new();
  if (title) adw_preferences_group_set_title(ADW_PREFERENCES_GROUP(group), title);
  if (description) adw_preferences_group_set_description(ADW_PREFERENCES_GROUP(group), description);
  return group;
}
static inline void ui_group_set_description(GtkWidget *group, const char *description) {
  adw_preferences_group_set_description(ADW_PREFERENCES_GROUP(group), description);
}
static inline void ui_group_add(GtkWidget *group, GtkWidget *child) {
  adw_preferences_group_add(ADW_PREFERENCES_GROUP(group), child);
}
static inline void ui_group_remove(GtkWidget *group, GtkWidget *child) {
  adw_preferences_group_remove(ADW_PREFERENCES_GROUP(group), child);
}
static inline void ui_group_set_suffix(GtkWidget *group, GtkWidget *child) {
  adw_preferences_group_set_header_suffix(ADW_PREFERENCES_GROUP(group), child);
}
/// Texts come from the daemon and the sound server: they are never taken for markup.
static inline GtkWidget *ui_row(const char *title, const char *subtitle) {
  GtkWidget *row = adw_action_row_new();
  adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
  if (subtitle) adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
  return row;
}
static inline void ui_row_set(GtkWidget *row, const char *title, const char *subtitle) {
  if (title && g_strcmp0(adw_preferences_row_get_title(ADW_PREFERENCES_ROW(row)), title) != 0)
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
  if (subtitle && g_strcmp0(adw_action_row_get_subtitle(ADW_ACTION_ROW(row)), subtitle) != 0)
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
}
static inline void ui_row_prefix(GtkWidget *row, GtkWidget *child) {
  adw_action_row_add_prefix(ADW_ACTION_ROW(row), child);
}
static inline void ui_row_suffix(GtkWidget *row, GtkWidget *child) {
  adw_action_row_add_suffix(ADW_ACTION_ROW(row), child);
}
static inline void ui_row_activates(GtkWidget *row, GtkWidget *child) {
  adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), child);
}
static inline GtkWidget *ui_expander(const char *title, const char *subtitle) {
  GtkWidget *row = adw_expander_row_new();
  adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
  adw_expander_row_set_subtitle(ADW_EXPANDER_ROW(row), subtitle);
  return row;
}
static inline void ui_expander_set(GtkWidget *row, const char *title, const char *subtitle) {
  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
  adw_expander_row_set_subtitle(ADW_EXPANDER_ROW(row), subtitle);
}
static inline void ui_expander_add(GtkWidget *row, GtkWidget *child) {
  adw_expander_row_add_row(ADW_EXPANDER_ROW(row), child);
}
static inline void ui_expander_remove(GtkWidget *row, GtkWidget *child) {
  adw_expander_row_remove(ADW_EXPANDER_ROW(row), child);
}
static inline GtkWidget *ui_combo(const char *title) {
  GtkWidget *row = adw_combo_row_new();
  adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
  adw_combo_row_set_use_subtitle(ADW_COMBO_ROW(row), TRUE);
  return row;
}
static inline void ui_combo_set_choices(GtkWidget *row, const char *const *choices) {
  GtkStringList *list = gtk_string_list_new(choices);
  adw_combo_row_set_model(ADW_COMBO_ROW(row), G_LIST_MODEL(list));
  g_object_unref(list);
}
static inline int ui_combo_get(GtkWidget *row) {
  guint index = adw_combo_row_get_selected(ADW_COMBO_ROW(row));
  return index == GTK_INVALID_LIST_POSITION ? -1 : (int)index;
}
static inline void ui_combo_set(GtkWidget *row, int index) {
  adw_combo_row_set_selected(
      ADW_COMBO_ROW(row), index < 0 ? GTK_INVALID_LIST_POSITION : (guint)index);
}
static inline GtkWidget *ui_header(GtkWidget *title) {
  GtkWidget *header = adw_header_bar_new();
  if (title) adw_header_bar_set_title_widget(ADW_HEADER_BAR(header), title);
  return header;
}
static inline void ui_header_start(GtkWidget *header, GtkWidget *child) {
  adw_header_bar_pack_start(ADW_HEADER_BAR(header), child);
}
static inline void ui_header_end(GtkWidget *header, GtkWidget *child) {
  adw_header_bar_pack_end(ADW_HEADER_BAR(header), child);
}
static inline GtkWidget *ui_stack(void) { return adw_view_stack_new(); }
static inline void ui_stack_add(
    GtkWidget *stack, GtkWidget *page, const char *name, const char *title, const char *icon) {
  AdwViewStackPage *made =
      adw_view_stack_add_titled(ADW_VIEW_STACK(stack), page, name, title);
  adw_view_stack_page_set_icon_name(made, icon);
}
static inline void ui_stack_badge(GtkWidget *stack, GtkWidget *page, unsigned count) {
  AdwViewStackPage *found = adw_view_stack_get_page(ADW_VIEW_STACK(stack), page);
  adw_view_stack_page_set_badge_number(found, count);
  adw_view_stack_page_set_needs_attention(found, count > 0);
}
static inline const char *ui_stack_get(GtkWidget *stack) {
  return adw_view_stack_get_visible_child_name(ADW_VIEW_STACK(stack));
}
static inline void ui_stack_set(GtkWidget *stack, const char *name) {
  adw_view_stack_set_visible_child_name(ADW_VIEW_STACK(stack), name);
}
/// A title that shows the pages of a stack where there is room, and the bar for where there is not.
static inline GtkWidget *ui_switcher_title(GtkWidget *stack, const char *title) {
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  GtkWidget *switcher = adw_view_switcher_title_new();
  adw_view_switcher_title_set_stack(ADW_VIEW_SWITCHER_TITLE(switcher), ADW_VIEW_STACK(stack));
  adw_view_switcher_title_set_title(ADW_VIEW_SWITCHER_TITLE(switcher), title);
  G_GNUC_END_IGNORE_DEPRECATIONS
  return switcher;
}
static inline GtkWidget *ui_switcher_bar(GtkWidget *stack, GtkWidget *title) {
  GtkWidget *bar = adw_view_switcher_bar_new();
  adw_view_switcher_bar_set_stack(ADW_VIEW_SWITCHER_BAR(bar), ADW_VIEW_STACK(stack));
  g_object_bind_property(title, "title-visible", bar, "reveal", G_BINDING_SYNC_CREATE);
  return bar;
}
static inline GtkWidget *ui_status_page(
    const char *icon, const char *title, const char *text, GtkWidget *child) {
  GtkWidget *page = adw_status_page_new();
  adw_status_page_set_icon_name(ADW_STATUS_PAGE(page), icon);
  adw_status_page_set_title(ADW_STATUS_PAGE(page), title);
  adw_status_page_set_description(ADW_STATUS_PAGE(page), text);
  adw_status_page_set_child(ADW_STATUS_PAGE(page), child);
  return page;
}
/// A sheet over the window with one page in it; Escape closes it.
static inline GtkWidget *ui_sheet(GtkWidget *parent, const char *title, GtkWidget *child) {
  GtkWidget *sheet = adw_window_new();
  gtk_window_set_transient_for(GTK_WINDOW(sheet), GTK_WINDOW(parent));
  gtk_window_set_modal(GTK_WINDOW(sheet), TRUE);
  gtk_window_set_title(GTK_WINDOW(sheet), title);
  gtk_window_set_default_size(GTK_WINDOW(sheet), 360, 620);
  adw_window_set_content(ADW_WINDOW(sheet), child);
  GtkEventController *keys = gtk_shortcut_controller_new();
  gtk_shortcut_controller_add_shortcut(
      GTK_SHORTCUT_CONTROLLER(keys),
      gtk_shortcut_new(
          gtk_keyval_trigger_new(GDK_KEY_Escape, (GdkModifierType)0),
          gtk_named_action_new("window.close")));
  gtk_widget_add_controller(sheet, keys);
  return sheet;
}
static inline void ui_about(GtkWidget *parent, const char *version, const char *comments) {
  GtkWidget *about = adw_about_window_new();
  AdwAboutWindow *window = ADW_ABOUT_WINDOW(about);
  adw_about_window_set_application_name(window, "qdenoise");
  adw_about_window_set_application_icon(window, "io.github.qdenoise.Window");
  adw_about_window_set_version(window, version);
  adw_about_window_set_comments(window, comments);
  adw_about_window_set_license_type(window, GTK_LICENSE_APACHE_2_0);
  gtk_window_set_transient_for(GTK_WINDOW(about), GTK_WINDOW(parent));
  gtk_window_set_modal(GTK_WINDOW(about), TRUE);
  gtk_window_present(GTK_WINDOW(about));
}

/// Asks for a folder; `callback` gets the dialogue and GTK_RESPONSE_ACCEPT if there is one.
typedef void (*ui_response_callback)(GtkNativeDialog *dialogue, int response, gpointer data);

static inline void ui_choose_folder(
    GtkWidget *parent, const char *title, const char *accept, const char *cancel,
    ui_response_callback callback, gpointer data) {
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  GtkFileChooserNative *chooser = gtk_file_chooser_native_new(
      title, GTK_WINDOW(parent), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, accept, cancel);
  const char *music = g_get_user_special_dir(G_USER_DIRECTORY_MUSIC);
  GFile *folder = g_file_new_for_path(music ? music : g_get_home_dir());
  gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(chooser), folder, NULL);
  g_object_unref(folder);
  g_signal_connect(chooser, "response", G_CALLBACK(callback), data);
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(chooser), TRUE);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(chooser));
  G_GNUC_END_IGNORE_DEPRECATIONS
}
/// The chosen folder, which the caller frees with g_free, or NULL.
static inline char *ui_chosen_folder(GtkNativeDialog *dialogue) {
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  GFile *file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialogue));
  G_GNUC_END_IGNORE_DEPRECATIONS
  if (!file) return NULL;
  char *path = g_file_get_path(file);
  g_object_unref(file);
  return path;
}

// A picture whose columns come one by one, with a meter below: it shows the last columns, the newest
// at its end. Both are one widget, because every widget that changes costs as much as its pixels. There
// is a column for each pixel, so that nothing is scaled.
//
// The columns stand in tiles, which never change but for the newest, and whose nodes stay the same: a
// frame copies the newest tile and not the picture, and to a graphics processor nothing else is sent.

#define UI_METER_HEIGHT 6
#define UI_METER_GAP 8
/// Columns of a tile.
#define UI_TILE 256

typedef struct {
  GskRenderNode *node;
  int columns;
  /// Pixels that it is drawn in, one for a column unless the widget's width has changed since.
  float width;
} ui_tile;

typedef struct {
  GtkWidget widget;
  int columns, rows;
  /// The complete tiles that are seen, the oldest first.
  ui_tile *tiles;
  int count, room;
  /// Row by row from the top, UI_TILE columns of 0xAARRGGBB, of which `filled` hold something.
  uint32_t *newest;
  int filled;
  /// Text and accent of the style.
  GdkRGBA ink, accent;
  /// What of the meter is filled, 0 to 1.
  double level;
  /// How often it was asked for since `drawn` was called or set; `drawn` is called once for the first.
  unsigned draws;
  GSourceFunc drawn;
  gpointer data;
} ui_strip;

/// The newest tile as a node at the origin. Its surface is given away: cairo takes the pixels of such a
/// one, and copies those of one that is written to again. (A texture would be converted by way of floats.)
static inline GskRenderNode *ui_strip_node(ui_strip *strip) {
  cairo_surface_t *surface =
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, strip->filled, strip->rows);
  unsigned char *data = cairo_image_surface_get_data(surface);
  int stride = cairo_image_surface_get_stride(surface);
  for (int row = 0; data && row < strip->rows; row++)
    memcpy(data + row * stride, strip->newest + row * UI_TILE, strip->filled * sizeof(uint32_t));
  cairo_surface_mark_dirty(surface);
  GskRenderNode *node =
      gsk_cairo_node_new(&GRAPHENE_RECT_INIT(0, 0, strip->filled, strip->rows));
  cairo_t *cairo = gsk_cairo_node_get_draw_context(node);
  cairo_set_operator(cairo, CAIRO_OPERATOR_SOURCE);
  cairo_set_source_surface(cairo, surface, 0, 0);
  cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_NEAREST);
  cairo_surface_destroy(surface);
  cairo_paint(cairo);
  cairo_destroy(cairo);
  return node;
}
static inline void ui_strip_append(
    GtkSnapshot *snapshot, GskRenderNode *node, float left, float stretch) {
  gtk_snapshot_save(snapshot);
  gtk_snapshot_translate(snapshot, &GRAPHENE_POINT_INIT(left, 0));
  if (stretch != 1) gtk_snapshot_scale(snapshot, stretch, 1);
  gtk_snapshot_append_node(snapshot, node);
  gtk_snapshot_restore(snapshot);
}
/// The newest tile is complete; those that it pushes out of sight are freed.
static inline void ui_strip_complete(ui_strip *strip) {
  float covered = strip->filled;
  int hidden = strip->count;
  while (hidden > 0 && covered < strip->columns) covered += strip->tiles[--hidden].width;
  for (int i = 0; i < hidden; i++) gsk_render_node_unref(strip->tiles[i].node);
  strip->count -= hidden;
  if (hidden) memmove(strip->tiles, strip->tiles + hidden, strip->count * sizeof(ui_tile));
  if (strip->count == strip->room) {
    strip->room = 2 * strip->room + 8;
    strip->tiles = g_renew(ui_tile, strip->tiles, strip->room);
  }
  strip->tiles[strip->count++] =
      (ui_tile){ui_strip_node(strip), strip->filled, strip->filled};
  strip->filled = 0;
}
/// Has as many columns as the widget is wide, and says how many; what is there is stretched.
static inline int ui_strip_fit(ui_strip *strip) {
  int width = gtk_widget_get_width(GTK_WIDGET(strip));
  if (width <= 0 || width == strip->columns) return strip->columns;
  if (strip->filled) ui_strip_complete(strip);
  for (int i = 0; i < strip->count; i++)
    strip->tiles[i].width *= (float)width / strip->columns;
  return strip->columns = width;
}
static inline void ui_strip_snapshot(GtkWidget *widget, GtkSnapshot *snapshot) {
  static const GdkRGBA silence = {0x05 / 255.0f, 0x06 / 255.0f, 0x0f / 255.0f, 1};
  ui_strip *strip = (ui_strip *)widget;
  if (strip->draws++ == 0 && strip->drawn) g_idle_add(strip->drawn, strip->data);
  int height = gtk_widget_get_height(widget);
  float width = ui_strip_fit(strip), left = width - strip->filled;
  if (width == 0) return;
  graphene_rect_t picture = GRAPHENE_RECT_INIT(0, 0, width, strip->rows);
  gtk_snapshot_push_clip(snapshot, &picture);
  if (strip->filled) {
    GskRenderNode *node = ui_strip_node(strip);
    ui_strip_append(snapshot, node, left, 1);
    gsk_render_node_unref(node);
  }
  for (int i = strip->count - 1; i >= 0 && left > 0; i--) {
    ui_tile *tile = &strip->tiles[i];
    // Edges lie between pixels, or what is behind would shine through.
    float end = roundf(left), start = roundf(left -= tile->width);
    if (start < end) ui_strip_append(snapshot, tile->node, start, (end - start) / tile->columns);
  }
  if (left > 0)
    gtk_snapshot_append_color(snapshot, &silence, &GRAPHENE_RECT_INIT(0, 0, left, strip->rows));
  gtk_snapshot_pop(snapshot);
  GdkRGBA groove = strip->ink;
  groove.alpha = 0.12f;
  float top = height - UI_METER_HEIGHT, filled = strip->level * width;
  gboolean mirrored = gtk_widget_get_direction(widget) == GTK_TEXT_DIR_RTL;
  gtk_snapshot_append_color(snapshot, &groove, &GRAPHENE_RECT_INIT(0, top, width, UI_METER_HEIGHT));
  gtk_snapshot_append_color(
      snapshot, &strip->accent,
      &GRAPHENE_RECT_INIT(mirrored ? width - filled : 0, top, filled, UI_METER_HEIGHT));
}
static inline void ui_strip_restyle(GtkWidget *widget, GtkCssStyleChange *change) {
  GTK_WIDGET_CLASS(g_type_class_peek(GTK_TYPE_WIDGET))->css_changed(widget, change);
  ui_strip *strip = (ui_strip *)widget;
  strip->accent = (GdkRGBA){0.208f, 0.518f, 0.894f, 1};
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  GtkStyleContext *style = gtk_widget_get_style_context(widget);
  gtk_style_context_get_color(style, &strip->ink);
  gtk_style_context_lookup_color(style, "accent_bg_color", &strip->accent);
  G_GNUC_END_IGNORE_DEPRECATIONS
}
static inline void ui_strip_finalize(GObject *object) {
  ui_strip *strip = (ui_strip *)object;
  for (int i = 0; i < strip->count; i++) gsk_render_node_unref(strip->tiles[i].node);
  g_free(strip->tiles);
  g_free(strip->newest);
  G_OBJECT_CLASS(g_type_class_peek(GTK_TYPE_WIDGET))->finalize(object);
}
static inline void ui_strip_prepare(gpointer class, gpointer data) {
  G_OBJECT_CLASS(class)->finalize = ui_strip_finalize;
  GTK_WIDGET_CLASS(class)->snapshot = ui_strip_snapshot;
  GTK_WIDGET_CLASS(class)->css_changed = ui_strip_restyle;
  // To a screen reader it is a meter.
  gtk_widget_class_set_accessible_role(GTK_WIDGET_CLASS(class), GTK_ACCESSIBLE_ROLE_METER);
}
/// A strip of so many rows. It is a widget, and lives as long.
static inline GtkWidget *ui_strip_new(int rows, ui_strip **made) {
  static GType type = 0;
  if (type == 0)
    type = g_type_register_static_simple(
        GTK_TYPE_WIDGET, "QdenoiseStrip", sizeof(GtkWidgetClass), ui_strip_prepare, sizeof(ui_strip),
        NULL, (GTypeFlags)0);
  ui_strip *strip = g_object_new(type, NULL);
  strip->rows = rows;
  strip->newest = g_new0(uint32_t, (gsize)UI_TILE * rows);
  gtk_widget_set_size_request(GTK_WIDGET(strip), -1, rows + UI_METER_GAP + UI_METER_HEIGHT);
  *made = strip;
  return GTK_WIDGET(strip);
}
/// Takes a column of 0xRRGGBB, the lowest row first.
static inline void ui_strip_put(ui_strip *strip, const uint32_t *colours) {
  if (strip->columns == 0) return;
  if (strip->filled == UI_TILE) ui_strip_complete(strip);
  for (int row = 0; row < strip->rows; row++)
    strip->newest[(strip->rows - 1 - row) * UI_TILE + strip->filled] = 0xff000000 | colours[row];
  strip->filled++;
}
/// Calls `drawn` when it is drawn the next time.
static inline void ui_strip_await(ui_strip *strip, GSourceFunc drawn, gpointer data) {
  strip->draws = 0;
  strip->drawn = drawn;
  strip->data = data;
}
static inline unsigned ui_strip_take_draws(ui_strip *strip) {
  unsigned draws = strip->draws;
  strip->draws = 0;
  strip->drawn = NULL;
  return draws;
}
static inline void ui_strip_set_level(ui_strip *strip, double level) { strip->level = level; }
/// Tells a screen reader what the meter shows.
static inline void ui_set_meter(GtkWidget *meter, double least, double most, double now) {
  gtk_accessible_update_property(
      GTK_ACCESSIBLE(meter), GTK_ACCESSIBLE_PROPERTY_VALUE_MIN, least,
      GTK_ACCESSIBLE_PROPERTY_VALUE_MAX, most, GTK_ACCESSIBLE_PROPERTY_VALUE_NOW, now, -1);
}

// A bar of stages one behind the other, with a line at the budget.

#define UI_BAR_MOST 16

typedef struct {
  int count;
  double lengths[UI_BAR_MOST];
  double budget;
} ui_bar;

static inline void ui_bar_draw(
    GtkDrawingArea *area, cairo_t *cairo, int width, int height, gpointer data) {
  // GNOME's palette; the style has the same for the rows.
  static const unsigned colours[] = {
      0x3584e4, 0x33d17a, 0xf6d32d, 0xff7800, 0x9141ac, 0x986a44, 0x62a0ea, 0xe01b24};
  ui_bar *bar = data;
  double total = 0;
  for (int i = 0; i < bar->count; i++) total += bar->lengths[i];
  double most = 1.1 * (total > bar->budget ? total : bar->budget);
  if (most <= 0) return;
  gboolean mirrored = gtk_widget_get_direction(GTK_WIDGET(area)) == GTK_TEXT_DIR_RTL;
  if (mirrored) {
    cairo_translate(cairo, width, 0);
    cairo_scale(cairo, -1, 1);
  }
  GdkRGBA ink;
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  gtk_style_context_get_color(gtk_widget_get_style_context(GTK_WIDGET(area)), &ink);
  G_GNUC_END_IGNORE_DEPRECATIONS
  cairo_set_source_rgba(cairo, ink.red, ink.green, ink.blue, 0.1);
  cairo_rectangle(cairo, 0, 6, width, height - 12);
  cairo_fill(cairo);
  double place = 0;
  for (int i = 0; i < bar->count; i++) {
    unsigned colour = colours[i % G_N_ELEMENTS(colours)];
    cairo_set_source_rgb(
        cairo, (colour >> 16) / 255.0, (colour >> 8 & 255) / 255.0, (colour & 255) / 255.0);
    double length = bar->lengths[i] / most * width;
    cairo_rectangle(cairo, place, 6, length > 1 ? length - 1 : length, height - 12);
    cairo_fill(cairo);
    place += length;
  }
  cairo_set_source_rgba(cairo, ink.red, ink.green, ink.blue, 0.9);
  cairo_rectangle(cairo, bar->budget / most * width - 1, 0, 2, height);
  cairo_fill(cairo);
}
static inline GtkWidget *ui_bar_new(int height, ui_bar **made) {
  ui_bar *bar = g_new0(ui_bar, 1);
  GtkWidget *area = gtk_drawing_area_new();
  gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(area), ui_bar_draw, bar, g_free);
  gtk_widget_set_size_request(area, -1, height);
  *made = bar;
  return area;
}
static inline void ui_bar_clear(ui_bar *bar, double budget) {
  bar->count = 0;
  bar->budget = budget;
}
static inline void ui_bar_add(ui_bar *bar, double length) {
  if (bar->count < UI_BAR_MOST) bar->lengths[bar->count++] = length;
}
