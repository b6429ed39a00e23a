//! The tables of users, groups and permissions as Django 5.2 makes them in MySQL, in an order in which they can be made.

use crate::mysql::Table;

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "auth_user",
        sql: "CREATE TABLE IF NOT EXISTS auth_user (
                  id integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
                  password varchar(128) NOT NULL,
                  last_login datetime(6) NULL,
                  is_superuser bool NOT NULL,
                  username varchar(150) NOT NULL UNIQUE,
                  first_name varchar(150) NOT NULL,
                  last_name varchar(150) NOT NULL,
                  email varchar(254) NOT NULL,
                  is_staff bool NOT NULL,
                  is_active bool NOT NULL,
                  date_joined datetime(6) NOT NULL
              )",
    },
    Table {
        name: "django_content_type",
        sql: "CREATE TABLE IF NOT EXISTS django_content_type (
                  id integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
                  app_label varchar(100) NOT NULL,
                  model varchar(100) NOT NULL,
                  CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq UNIQUE (app_label, model)
              )",
    },
    Table {
        name: "auth_permission",
        sql: "CREATE TABLE IF NOT EXISTS auth_permission (
                  id integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
                  name varchar(255) NOT NULL,
                  content_type_id integer NOT NULL,
                  codename varchar(100) NOT NULL,
                  CONSTRAINT auth_permission_content_type_id_codename_01ab375a_uniq UNIQUE (content_type_id, codename),
                  CONSTRAINT auth_permission_content_type_id_2f476e4b_fk_django_co
                      FOREIGN KEY (content_type_id) REFERENCES django_content_type (id)
              )",
    },
    Table {
        name: "auth_group",
        sql: "CREATE TABLE IF NOT EXISTS auth_group (
                  id integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
                  name varchar(150) NOT NULL UNIQUE
              )",
    },
    Table {
        name: "auth_group_permissions",
        sql: "CREATE TABLE IF NOT EXISTS auth_group_permissions (
                  id bigint AUTO_INCREMENT NOT NULL PRIMARY KEY,
                  group_id integer NOT NULL,
                  permission_id integer NOT NULL,
                  CONSTRAINT auth_group_permissions_group_id_permission_id_0cd325b0_uniq UNIQUE (group_id, permission_id),
                  CONSTRAINT auth_group_permissions_group_id_b120cbf9_fk_auth_group_id
                      FOREIGN KEY (group_id) REFERENCES auth_group (id),
                  CONSTRAINT auth_group_permissio_permission_id_84c5c92e_fk_auth_perm
                      FOREIGN KEY (permission_id) REFERENCES auth_permission (id)
              )",
    },
    Table {
        name: "auth_user_groups",
        sql: "CREATE TABLE IF NOT EXISTS auth_user_groups (
                  id bigint AUTO_INCREMENT NOT NULL PRIMARY KEY,
                  user_id integer NOT NULL,
                  group_id integer NOT NULL,
                  CONSTRAINT auth_user_groups_user_id_group_id_94350c0c_uniq UNIQUE (user_id, group_id),
                  CONSTRAINT auth_user_groups_user_id_6a12ed8b_fk_auth_user_id
                      FOREIGN KEY (user_id) REFERENCES auth_user (id),
                  CONSTRAINT auth_user_groups_group_id_97559544_fk_auth_group_id
                      FOREIGN KEY (group_id) REFERENCES auth_group (id)
              )",
    },
    Table {
        name: "auth_user_user_permissions",
        sql: "CREATE TABLE IF NOT EXISTS auth_user_user_permissions (
                  id bigint AUTO_INCREMENT NOT NULL PRIMARY KEY,
                  user_id integer NOT NULL,
                  permission_id integer NOT NULL,
                  CONSTRAINT auth_user_user_permissions_user_id_permission_id_14a6b632_uniq
                      UNIQUE (user_id, permission_id),
                  CONSTRAINT auth_user_user_permissions_user_id_a95ead1b_fk_auth_user_id
                      FOREIGN KEY (user_id) REFERENCES auth_user (id),
                  CONSTRAINT auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm
                      FOREIGN KEY (permission_id) REFERENCES auth_permission (id)
              )",
    },
];
