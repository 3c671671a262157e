################################################################################
#
# steadycast
#
################################################################################

STEADYCAST_VERSION = 0.1.0
STEADYCAST_SITE = $(BR2_EXTERNAL_STEADYCAST_PATH)/..
STEADYCAST_SITE_METHOD = local
STEADYCAST_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = \
	--exclude=/build --exclude=/data --exclude=/dist \
	--exclude=/node_modules --exclude=/test --exclude=/buildroot
STEADYCAST_LICENSE = Apache-2.0
STEADYCAST_LICENSE_FILES = LICENSE
STEADYCAST_DEPENDENCIES = steadycast-media

# npm checks each package against its hash in package-lock.json. What has been
# downloaded once is taken from here, so that it builds without a network, too.
STEADYCAST_ENV = \
	npm_config_cache=$(DL_DIR)/steadycast/npm \
	npm_config_prefer_offline=true \
	CC="$(TARGET_CC)" CXX="$(TARGET_CXX)" AR="$(TARGET_AR)"

ifeq ($(BR2_PACKAGE_STEADYCAST_NODE_TREE),y)
STEADYCAST_DEPENDENCIES += host-nodejs nodejs
STEADYCAST_NODEDIR = $(STAGING_DIR)/usr
else
define STEADYCAST_INSTALL_NODE
	$(INSTALL) -D -m 0755 $(@D)/box/node/bin/node $(TARGET_DIR)/usr/bin/node
endef
endif

define STEADYCAST_BUILD_CMDS
	cd $(@D) && PATH=$(BR_PATH) $(STEADYCAST_ENV) scripts/image/modules box $(STEADYCAST_NODEDIR)
	cd $(@D) && PATH=$(BR_PATH) $(STEADYCAST_ENV) npm ci --ignore-scripts --no-audit --no-fund
	cd $(@D) && PATH=$(BR_PATH) node --import tsx scripts/build.ts
endef

define STEADYCAST_INSTALL_TARGET_CMDS
	$(@D)/scripts/image/supervisor $(TARGET_DIR) $(@D)/box/node_modules
	$(STEADYCAST_INSTALL_NODE)
endef

# As rootfs/usr/lib/sysusers.d/steadycast.conf, which a root that is read-only
# cannot carry out. (Over /tmp, whose owner this changes, lies memory.)
define STEADYCAST_USERS
	- - gpio -1 - - - - GPIO lines
	- - i2c -1 - - - - I2C buses
	steadycast -1 steadycast -1 * /data/steadycast - audio,gpio,i2c,render,systemd-journal,video Steadycast
	admin -1 admin -1 * /tmp /bin/bash i2c,systemd-journal,video Diagnosis
endef

$(eval $(generic-package))
